"""Tells an operator which TURN servers work."""
