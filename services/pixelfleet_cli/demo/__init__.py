"""The whole system in one process, for a demonstration and for development."""
