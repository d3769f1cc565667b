"""What a Redis server reports about itself on a new connection: whether it can hold the fleet store."""

from typing import Final, NamedTuple, Self

from redis.exceptions import RedisError

CLUSTER: Final = "Redis Cluster is not supported: use one Redis server, or Sentinels (redis+sentinel://)"

KEEPS_ALL: Final = "noeviction"
"""The only `maxmemory-policy` with which a full server loses no data."""


class UnsuitableServerError(RedisError):
    """The server cannot hold the fleet store."""


class ServerInfo(NamedTuple):
    """The fields of INFO that matter to the store."""

    run_id: str
    """The id of the server process."""
    cluster: bool
    maxmemory: int
    """In bytes; 0 without a limit."""
    policy: str
    """The `maxmemory-policy`; empty if unknown."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the fields of a reply of INFO. Those that a server leaves out are empty or 0."""
        fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        return cls(
            run_id=fields.get("run_id", ""),
            cluster=fields.get("cluster_enabled") == "1",
            maxmemory=int(fields.get("maxmemory", "0")),
            policy=fields.get("maxmemory_policy", ""),
        )

    def check(self) -> None:
        """Raise UnsuitableServerError for a node of a Redis Cluster, which answers only for its share of the slots."""
        if self.cluster:
            raise UnsuitableServerError(CLUSTER)

    @property
    def warning(self) -> str:
        """Why the server can lose data that it has confirmed; empty if it cannot."""
        if not self.maxmemory or self.policy in ("", KEEPS_ALL):
            return ""
        return (
            f"Redis evicts keys of the fleet when its memory is full (maxmemory-policy {self.policy}): "
            f"set maxmemory-policy {KEEPS_ALL}"
        )
