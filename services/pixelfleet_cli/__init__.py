"""The command line, and the commands that use all services."""
