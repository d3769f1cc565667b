"""The router: the public entry. It serves the page and forwards players to a matchmaker."""
