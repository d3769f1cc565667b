"""The fleet store: streamers, waiting tickets and leases."""
