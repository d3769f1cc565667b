"""Who may come in: one module for router and matchmaker, so that either door holds by itself."""
