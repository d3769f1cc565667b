"""The REST API of the streamed application."""
