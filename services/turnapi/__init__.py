"""Hands out ICE servers and short-lived TURN credentials."""
