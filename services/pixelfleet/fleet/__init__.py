"""The fleet store: which streamers there are, who waits, and who was promised what."""
