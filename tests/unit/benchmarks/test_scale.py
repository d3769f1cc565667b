import pytest

from benchmarks.scale import TARGET, Cost, first_limit, need


def costs(share_each: float, kib_each: float = 10.0) -> dict[int, dict[str, Cost]]:
    """Return costs of Redis that grow by these slopes from a base."""
    return {
        size: {"redis": Cost(share=0.01 + share_each * size, kib=500.0 + kib_each * size, arrival_us=900.0)}
        for size in (1, 100, 1000)
    }


def test_the_needs_are_the_slopes_and_the_arrivals_at_the_target() -> None:
    found = need(costs(20e-6), "redis")
    assert found.us_each == pytest.approx(20.0)
    assert found.kib_each == pytest.approx(10.0)
    # 100,000 players that arrive once in 900 s: 111 arrivals a second of 900 us each.
    assert found.cores == pytest.approx(2.0 + 0.1)
    assert found.replicas == 4
    assert found.players_of_one == pytest.approx(0.6 / 2.1 * TARGET, abs=1)


def test_a_cost_that_does_not_grow_needs_one_replica() -> None:
    found = need(costs(-1e-9, -1.0), "redis")
    assert (found.us_each, found.kib_each, found.replicas) == (0.0, 0.0, 1)


def test_redis_limits_a_fleet_whose_load_is_more_than_one_process_can_take() -> None:
    assert "Redis limits the fleet first" in first_limit({"redis": need(costs(20e-6), "redis")})
    assert "no part limits" in first_limit({"redis": need(costs(1e-6), "redis")})
