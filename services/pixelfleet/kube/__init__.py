"""What the services ask of a Kubernetes API server, over plain HTTP."""
