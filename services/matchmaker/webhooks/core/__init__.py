"""The logic of webhooks, without I/O and without a clock."""
