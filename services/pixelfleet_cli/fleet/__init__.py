"""`pixelfleet fleet`: shows and operates a fleet over REST."""
