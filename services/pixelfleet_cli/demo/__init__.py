"""The whole system in one process, to look at and to develop against."""
