"""`pixelfleet loadtest`: players that arrive at an installation, and what they meet."""
