"""The TURN API: a list of ICE servers with credentials that expire."""
