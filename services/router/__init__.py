"""The router: the one public door. Serves the page and passes players on to a matchmaker."""
