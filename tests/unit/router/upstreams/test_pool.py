"""The order in which matchmakers are tried."""

from router.upstreams.pool import BACKOFF, Pool, Target

A, B = "ws://a.test:3000", "wss://b.test/base/"


def pool(**addresses: list[str]) -> Pool:
    made = Pool([A, B])
    made.resolved({A: addresses.get("a", ["10.0.0.1"]), B: addresses.get("b", ["10.0.0.2"])})
    return made


def at(made: Pool, now: float = 0.0) -> list[str]:
    return [target.address for target in made.candidates(now)]


def test_the_fewest_connections_come_first_and_equal_ones_in_turn() -> None:
    made = pool()
    assert {at(made)[0] for _ in range(2)} == {"10.0.0.1", "10.0.0.2"}
    made.targets()[0].connections = 5
    assert {at(made)[0] for _ in range(4)} == {"10.0.0.2"}


def test_each_failure_doubles_the_exclusion() -> None:
    made = pool()
    first = made.targets()[0]
    assert made.failed(first, 0.0, "refused")
    assert at(made, 0.0) == ["10.0.0.2"]
    assert not made.failed(first, 0.1, "refused")  # the same failure, seen by another player
    assert first.failures == 1
    assert len(at(made, BACKOFF.first)) == 2
    now = 1.0
    for _ in range(40):
        made.failed(first, now, "refused")
        assert first.out_until - now <= BACKOFF.longest
        now = first.out_until
    assert made.answered(first)
    assert not made.answered(first)
    assert made.usable(0.0) == 2


def test_when_all_are_excluded_all_are_tried() -> None:
    made = pool()
    first, second = made.targets()
    made.failed(first, 5.0, "x")
    made.failed(second, 0.0, "x")
    made.failed(second, 4.9, "x")
    assert at(made, 5.01) == ["10.0.0.2", "10.0.0.1"]
    assert made.usable(5.01) == 0


def test_a_name_with_several_addresses_is_several_targets_which_keep_their_state() -> None:
    made = pool(a=["10.0.0.1", "10.0.0.3"])
    kept = next(target for target in made.targets() if target.address == "10.0.0.1")
    kept.connections = 7
    made.resolved({A: ["10.0.0.1", "10.0.0.9"]})
    assert sorted(target.address for target in made.targets()) == ["10.0.0.1", "10.0.0.2", "10.0.0.9"]
    assert next(target for target in made.targets() if target.address == "10.0.0.1").connections == 7


def test_a_target_is_dialled_by_address_with_its_name_as_host() -> None:
    target = Target(B, "2001:db8::1")
    assert target.http_url == "https://[2001:db8::1]/base"
    assert target.ws_url == "wss://b.test/base"
    assert (target.host, target.name, target.is_secure) == ("b.test", "b.test", True)
    assert Target(A, "10.0.0.1").http_url == "http://10.0.0.1:3000"
    assert Target(A, "10.0.0.1").host == "a.test:3000"
