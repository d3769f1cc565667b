"""`pixelfleet webhook`: checks the receiver of webhooks."""
