"""Writes a Kubernetes overlay from a `.env` file and prints the manifests."""
