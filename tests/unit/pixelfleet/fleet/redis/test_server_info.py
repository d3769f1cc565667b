"""What a server's INFO decides: a Redis Cluster is refused, and a server that evicts causes a warning."""

import pytest

from pixelfleet.fleet.redis.server_info import ServerInfo, UnsuitableServerError

INFO = """# Server
redis_version:7.0.15
run_id:abc
# Memory
maxmemory:{maxmemory}
maxmemory_policy:{policy}
# Cluster
cluster_enabled:{cluster}
"""


def info(maxmemory: int = 0, policy: str = "noeviction", cluster: int = 0) -> ServerInfo:
    return ServerInfo.parse(INFO.format(maxmemory=maxmemory, policy=policy, cluster=cluster))


def test_the_run_id_is_read() -> None:
    assert info().run_id == "abc"


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random", "volatile-lru", "volatile-ttl"])
def test_a_server_that_evicts_causes_a_warning(policy: str) -> None:
    assert policy in info(1_000_000, policy).warning
    assert "noeviction" in info(1_000_000, policy).warning


def test_a_server_that_does_not_evict_causes_no_warning() -> None:
    assert info(1_000_000, "noeviction").warning == ""
    assert info(0, "allkeys-lru").warning == "", "without a limit nothing is evicted"
    assert ServerInfo.parse("run_id:abc").warning == ""


def test_a_node_of_a_cluster_is_refused_in_one_line() -> None:
    info().check()
    with pytest.raises(UnsuitableServerError, match="Redis Cluster is not supported") as caught:
        info(cluster=1).check()
    assert "\n" not in str(caught.value)
