"""The matchmaker: decides which streamer a waiting player gets, and joins the two."""
