"""The start, the supervision and the replacement of the streamed application."""
