"""`pixelfleet fleet`: displays and operates a fleet over REST."""
