"""Token buckets and counts, and what a client is limited by."""

from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.net.limits import Buckets, Counts, TokenBucket, client_key


@given(st.floats(0.1, 1e6), st.floats(1, 1e6), st.lists(st.floats(0, 10), max_size=60))
def test_a_bucket_is_a_burst_and_then_the_rate(rate: float, burst: float, pauses: list[float]) -> None:
    bucket = TokenBucket(rate, burst)
    now = begun = 100.0
    taken = int(bucket.take(now))
    assert taken == 1
    for pause in pauses:
        now += pause
        taken += bucket.take(now)
    assert taken <= burst + (now - begun) * rate + 1


def test_tokens_come_back_with_time() -> None:
    bucket = TokenBucket(rate=2.0, burst=2.0)
    assert [bucket.take(50.0) for _ in range(3)] == [True, True, False]
    assert not bucket.take(50.4)
    assert bucket.take(52.0)


def test_no_rate_is_no_limit_also_within_one_tick_of_the_clock() -> None:
    bucket = TokenBucket(float("inf"), 1.0)
    assert all(bucket.take(now) for now in (0.0, 0.0, 0.0, 1.0, 1.0, 1.0))


def test_a_token_that_is_refused_is_not_used() -> None:
    bucket = TokenBucket(rate=1.0, burst=1.0)
    assert bucket.take(10.0)
    assert not any(bucket.take(10.0 + tenth / 10) for tenth in range(10))
    assert bucket.wait(10.75) == 0.25
    assert bucket.take(11.0)


def test_a_debt_delays_the_next_token() -> None:
    bucket = TokenBucket(rate=0.5, burst=2.0)
    for _ in range(4):
        bucket.charge(0.0)
    assert bucket.wait(0.0) == 6.0
    assert not bucket.take(5.9)
    assert bucket.take(6.0)


def test_a_burst_is_let_through_and_then_a_rate() -> None:
    buckets = Buckets(rate=2.0, burst=3.0)
    assert [buckets.take("a", 10.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert buckets.take("a", 10.4) > 0
    assert buckets.take("a", 10.5) == 0.0
    assert buckets.take("b", 10.5) == 0.0


def test_looking_uses_nothing_up() -> None:
    buckets = Buckets(rate=1.0, burst=1.0)
    assert buckets.wait("a", 0.0) == 0.0
    assert len(buckets) == 0
    buckets.take("a", 0.0)
    assert buckets.wait("a", 0.25) == 0.75
    assert buckets.wait("a", 1.0) == 0.0


def test_no_rate_is_no_limit() -> None:
    buckets = Buckets(rate=0.0, burst=1.0)
    assert {buckets.take("a", 0.0) for _ in range(100)} == {0.0}
    assert len(buckets) == 0


def test_what_is_charged_is_charged_to_one_client() -> None:
    buckets = Buckets(rate=0.5, burst=1.0)
    for _ in range(2):
        buckets.charge("a", 0.0)
    assert (buckets.wait("a", 0.0), buckets.take("b", 0.0)) == (4.0, 0.0)
    free = Buckets(rate=0.0, burst=1.0)
    free.charge("a", 0.0)
    assert (free.wait("a", 0.0), len(free)) == (0.0, 0)


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, 5)), max_size=200))
def test_memory_is_bounded_and_nobody_gets_more_than_burst_and_rate(calls: list[tuple[int, float]]) -> None:
    buckets = Buckets(rate=1.0, burst=2.0, max_clients=16)
    everyone = Buckets(rate=1.0, burst=2.0, max_clients=64)
    now, taken = 0.0, dict.fromkeys(range(41), 0)
    for client, passed in calls:
        now += passed
        buckets.take(str(client), now)
        assert len(buckets) <= 16
        taken[client] += everyone.take(str(client), now) == 0.0
    assert all(count <= 2 + now + 1e-6 for count in taken.values())


def test_a_clock_that_goes_back_gives_nothing() -> None:
    buckets = Buckets(rate=1.0, burst=1.0)
    buckets.take("a", 100.0)
    assert buckets.take("a", 50.0) > 0


def test_open_things_are_counted_and_forgotten() -> None:
    counts = Counts(2)
    counts.add("a")
    assert not counts.full("a")
    counts.add("a")
    assert counts.full("a")
    assert not counts.full("b")
    counts.remove("a")
    counts.remove("a")
    counts.remove("a")
    assert len(counts) == 0
    assert not Counts(0).full("a")


def test_an_ipv6_client_is_its_network() -> None:
    assert client_key("2001:db8:1:2:3::4") == client_key("2001:db8:1:2:ffff::1")
    assert client_key("2001:db8:1:2::1") != client_key("2001:db8:1:3::1")
    assert client_key("::ffff:10.0.0.1") == client_key("10.0.0.1") == "10.0.0.1"
    assert len(client_key("x" * 1000)) == 64
