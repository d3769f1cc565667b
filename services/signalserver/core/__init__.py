"""The signalling protocol without I/O: rules, state, sessions."""
