"""The logic of the load test: the schedule, the peers' conversations, and the statistics. No I/O and no clock."""
