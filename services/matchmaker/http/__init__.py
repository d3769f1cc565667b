"""The HTTP interfaces of the matchmaker."""
