"""Webhooks: requests with which Pixelfleet informs and asks the operator's own services."""
