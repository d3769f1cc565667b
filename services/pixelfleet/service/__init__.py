"""Shared infrastructure of the services: settings, logs, metrics, start and stop."""
