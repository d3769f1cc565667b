"""Positions of waiting players, and the notifications about them."""
