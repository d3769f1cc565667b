"""The fleet in one process's memory, without I/O and without a clock: the same steps as `fleet/lua`, in Python."""
