"""Process plumbing of every service: settings, logs, metrics, start and stop."""
