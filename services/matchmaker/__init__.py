"""The matchmaker: queues players, assigns a free streamer to each, and relays between the two."""
