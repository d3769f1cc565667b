"""Checks what a player's page would meet, and names the next step for each finding."""
