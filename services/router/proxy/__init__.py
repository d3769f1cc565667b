"""The reverse proxy to the REST APIs of streamers."""
