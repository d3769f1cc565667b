"""The matchmakers behind the router: discovery and choice."""
