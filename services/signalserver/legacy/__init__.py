"""Compatibility with cirrus and Wilbur: their options and the matchmaker protocol over TCP."""
