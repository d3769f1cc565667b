"""The fleet's gauges are equal on all replicas, and absent while the totals are unknown."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from matchmaker.metrics import MAX_APPS, READ_SECONDS, STALE_SECONDS, FleetGauges, Metrics, shown_apps
from pixelfleet.autoscaling.demand import demand_ratio
from pixelfleet.fleet.model import AppTotals
from tests.unit.matchmaker.brokers import Store, ticket

Series = dict[str, float]


class ReplicaMetrics:
    """The metrics of one replica, with a fake clock."""

    def __init__(self, store: Store, **warm: int) -> None:
        self.metrics = Metrics()
        self.gauges = FleetGauges(store.real, warm)
        self.now = 1000.0
        self.gauges._loop = self  # type: ignore[assignment]  # only `time` is called
        self.metrics.watch_fleet(self.gauges)

    def time(self) -> float:
        return self.now

    def series(self, *, custom: bool = False) -> Series:
        registries = self.metrics.registries
        text = generate_latest(registries.custom if custom else registries.all).decode()
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


@pytest.fixture
def store() -> Store:
    return Store()


async def fleet(store: Store, players: int, streamers: int) -> None:
    await store.inner.set_policies({"default": "spread"})
    for number in range(1, streamers + 1):
        await store.streamer(number)
    for number in range(1, players + 1):
        await store.inner.join(ticket(number))


@pytest.mark.parametrize(("players", "streamers"), [(0, 0), (0, 3), (2, 4), (4, 4), (9, 4), (3, 0)])
async def test_the_demand_ratio_is_players_per_streamer(store: Store, players: int, streamers: int) -> None:
    await fleet(store, players, streamers)
    replicas = [ReplicaMetrics(store), ReplicaMetrics(store)]
    for replica in replicas:
        await replica.gauges.read()
    expected = {
        "matchmaker_player_queue_count": max(0, players - streamers),
        "matchmaker_streamer_available_count": max(0, streamers - players),
        "matchmaker_streamer_connections": streamers,
        "matchmaker_streamer_demand_ratio": players / streamers if streamers else players and players + 1,
    }
    for replica in replicas:
        for custom in (False, True):
            series = replica.series(custom=custom)
            assert {name: series[name] for name in expected} == expected


async def test_streams_wanted_counts_used_waiting_and_warm_slots(store: Store) -> None:
    await fleet(store, 5, 3)
    replica = ReplicaMetrics(store, default=2, idle=1)
    await replica.gauges.read()
    series = replica.series(custom=True)
    assert series['pixelfleet_streams_wanted{app="default"}'] == 3 + 2 + 2
    assert series['pixelfleet_streams_wanted{app="idle"}'] == 1
    assert series['pixelfleet_players_waiting{app="default"}'] == 2
    assert series['pixelfleet_slots_used{app="default"}'] == 3


async def test_names_and_streamers_that_do_not_exist_are_no_demand_and_no_series(store: Store) -> None:
    await fleet(store, 0, 1)
    replica = ReplicaMetrics(store)
    await replica.gauges.read()
    before = replica.series(custom=True)
    for number in range(20):
        await store.inner.join(ticket(number + 1, app=f"invented-{number}"))
    for number in range(20, 40):
        await store.inner.join(ticket(number + 1, wants=f"nope-{number}"))
        await store.inner.join(ticket(number + 101, labels={"region": "mars"}))
    await replica.gauges.read()
    after = replica.series(custom=True)
    assert after.keys() == before.keys()
    for name in (
        "matchmaker_streamer_demand_ratio",
        'pixelfleet_streams_wanted{app="default"}',
        'pixelfleet_oldest_wait_seconds{app="other"}',
    ):
        assert after.get(name, 0) == before.get(name, 0) == 0
    assert after['pixelfleet_players_waiting{app="other"}'] == 20
    assert after['pixelfleet_players_waiting{app="default"}'] == 40


async def test_a_known_application_may_have_the_name_of_the_common_label(store: Store) -> None:
    await store.streamer(1, app="other")
    await store.inner.join(ticket(1, app="invented"))
    replica = ReplicaMetrics(store)
    await replica.gauges.read()
    assert replica.series()['pixelfleet_players_waiting{app="other"}'] == 0


def of_the_fleet(series: Series) -> list[str]:
    own = ("matchmaker_player_socket_connections", "matchmaker_link_connections", "pixelfleet_build_info")
    return [name for name in series if name.startswith(("pixelfleet_", "matchmaker_")) and not name.startswith(own)]


async def test_gauges_are_absent_while_the_totals_are_unknown(store: Store) -> None:
    replica = ReplicaMetrics(store)
    assert of_the_fleet(replica.series(custom=True)) == []
    await replica.gauges.read()
    assert of_the_fleet(replica.series(custom=True))
    replica.now += STALE_SECONDS - 0.1
    store.unavailable = True
    await replica.gauges.read()
    assert of_the_fleet(replica.series(custom=True))
    replica.now += 0.1
    assert of_the_fleet(replica.series(custom=True)) == []
    store.unavailable = False
    current = await store.inner.totals()

    async def totals() -> object:
        return type(current)(now=current.now, warming_up=True, apps=current.apps)

    store.inner.totals = totals  # type: ignore[method-assign,assignment]
    await replica.gauges.read()
    assert of_the_fleet(replica.series(custom=True)) == []
    assert READ_SECONDS < STALE_SECONDS


async def test_waits_and_matches_are_counted_by_application(store: Store) -> None:
    replica = ReplicaMetrics(store)
    replica.metrics.matched("car", 0.3)
    replica.metrics.matched("car", 30.0)
    series = replica.series()
    assert series['matchmaker_matches_total{app="car"}'] == 2
    assert series['matchmaker_wait_seconds_bucket{app="car",le="0.5"}'] == 1
    assert series['matchmaker_wait_seconds_count{app="car"}'] == 2


@given(st.integers(0, 10_000), st.integers(0, 10_000) | st.just(math.inf))
def test_the_ratio_exceeds_one_exactly_when_slots_are_missing(players: int, slots: float) -> None:
    ratio = demand_ratio(players, slots)
    assert ratio >= 0
    assert (ratio > 1) == (players > slots)


def test_requested_names_do_not_displace_real_applications() -> None:
    apps = {f"made-up-{number}": AppTotals(waiting=1) for number in range(5000)}
    apps |= {f"zz-real-{number}": AppTotals(streamers=1) for number in range(100)}
    shown = shown_apps(apps, ["zz-configured"])
    assert len(shown) == MAX_APPS
    assert {"zz-configured", *(name for name in apps if name.startswith("zz-real"))} <= set(shown)
