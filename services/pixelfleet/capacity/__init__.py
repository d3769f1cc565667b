"""A simulation of a fleet with its players, autoscalers and GPU nodes, without I/O and without a clock."""
