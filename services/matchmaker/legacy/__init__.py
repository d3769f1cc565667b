"""Legacy signalling servers, which report over TCP."""
