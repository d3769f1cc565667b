"""Generates the templates of the Helm chart from the kustomize manifests, so that both are one source."""
