"""The plumbing of a service: settings, logs, metrics, HTTP, websockets, start and stop."""
