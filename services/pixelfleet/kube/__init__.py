"""A client of the Kubernetes API, and a mirror of its objects."""
