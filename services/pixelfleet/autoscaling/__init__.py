"""The arithmetic of Kubernetes' autoscalers, without I/O: for tests of the manifests, plots and simulations."""
