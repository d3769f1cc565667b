"""What a match costs, and whether anybody is ever promised a streamer that another has."""
