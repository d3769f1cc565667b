"""Checks which TURN servers work."""
