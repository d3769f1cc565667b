"""The command line and the commands that know every service."""
