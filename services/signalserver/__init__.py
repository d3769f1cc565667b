"""The signalling server: introduces players to the streamers beside it."""
