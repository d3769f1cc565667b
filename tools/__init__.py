"""Release tools, which are not part of the distribution."""
