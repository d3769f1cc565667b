"""The autoscalers' arithmetic on metrics that are scraped from real matchmakers."""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from matchmaker import metrics as matchmaker_metrics
from matchmaker.metrics import FleetGauges, Metrics
from pixelfleet.autoscaling.demand import beyond_tolerance
from pixelfleet.autoscaling.hpa import Autoscaler
from pixelfleet.autoscaling.manifests import autoscaler_of, scaled_object_of
from pixelfleet.autoscaling.replicas import Pods, Tolerance
from pixelfleet.capacity.scalers import scaler_of, shipped
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import ServerReport, StreamerReport, Ticket, Totals
from pixelfleet.fleet.store import StoreUnavailableError
from pixelfleet.service.lifecycle import background
from tests.manifests.pods import of_kind
from tests.manifests.rendering import ROOT, rendered, require_kubectl
from tests.manifests.rollouts import Rollout
from tests.parts import eventually

ADAPTED = {
    "stream_player_connections": "stream_player_connections",
    "pixelstream_player_queue_count": "matchmaker_player_queue_count",
    "pixelstream_available_count": "matchmaker_streamer_available_count",
    "player_stream_pool_ratio": "matchmaker_streamer_demand_ratio",
    "pixelfleet_streams_wanted": "pixelfleet_streams_wanted",
    "pixelfleet_streams_wanted_beyond_tolerance": "pixelfleet_streams_wanted",
}
"""The names under which the Prometheus adapter exposes the series to autoscalers."""

AUTOSCALED = (
    "component hpa-stream",
    "component hpa-ratio",
    "component hpa-services",
    "component keda-stream",
    "configure most",
    "configure older",
)

EXACT = ("component hpa-stream", "component keda-stream")
"""Autoscalers of the demand on Kubernetes 1.35 and newer."""

OLDER = ("configure older", "configure most")
"""The same before 1.35."""

SIZES = (1, 10, 20, 100, 1000)


class Store(MemoryFleetStore):
    """A store that can be unavailable."""

    away = False

    async def totals(self) -> Totals:
        if self.away:
            raise StoreUnavailableError("out of reach")
        return await super().totals()


class Replicas:
    """The metrics of two matchmakers on one store."""

    def __init__(self) -> None:
        self.store = Store()
        self.each = [(Metrics(), FleetGauges(self.store, {"game": 1})) for _ in range(2)]
        for metrics, gauges in self.each:
            metrics.watch_fleet(gauges)

    async def fleet(
        self, streamers: int, *, busy: int = 0, draining: int = 0, waiting: int = 0, sequence: int = 1
    ) -> None:
        """Report streamers, the first `busy` of them occupied and some of these draining; add waiting players."""
        await self.store.set_policies({"game": "spread"})  # as a matchmaker with the option --warm
        for number in range(streamers):
            report = StreamerReport(
                server_id=f"pod-{number}",
                endpoint_id="cam",
                app="game",
                url="ws://10.0.0.1:4000",
                sessions=(f"session-{number}",) if number < busy else (),
                draining=number < draining,
            )
            await self.store.report(ServerReport(server_id=f"pod-{number}", sequence=sequence, streamers=(report,)))
        for number in range(waiting):
            await self.store.join(Ticket(session_id=f"waiting-{number}", replica_id="one", app="game"))
        for _, gauges in self.each:
            gauges._totals, gauges._read_at = await self.store.totals(), asyncio.get_running_loop().time()

    def scraped(self, name: str, **labels: str) -> list[float]:
        """Return the values of a series in a scrape of each replica."""
        return [
            sample.value
            for metrics, _ in self.each
            for family in text_string_to_metric_families(generate_latest(metrics.registries.custom).decode())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def average(self, name: str, **labels: str) -> float | None:
        """Return PromQL's `avg`; None for an empty vector."""
        values = self.scraped(name, **labels)
        return sum(values) / len(values) if values else None


@pytest.fixture(scope="module", autouse=True)
def _rendered() -> None:
    """Render before any test, because rendering would block the event loop."""
    require_kubectl()
    for each in AUTOSCALED:
        rendered(each)


@pytest.fixture
async def replicas() -> Replicas:
    return Replicas()


def _spec(rendering: str, kind: str) -> Any:
    (found,) = (each for each in of_kind(rendered(rendering), kind) if each["metadata"]["name"] == "stream")
    return found["spec"]


def _autoscaler(kind: str, spec: Any) -> Autoscaler:
    return scaled_object_of(spec).autoscaler if kind == "ScaledObject" else autoscaler_of(spec)


def autoscaler(rendering: str) -> Autoscaler:
    """Return a shipped autoscaler that is limited by its metric alone, up to 5,000 pods."""
    kind = "ScaledObject" if any(of_kind(rendered(rendering), "ScaledObject")) else "HorizontalPodAutoscaler"
    found = _autoscaler(kind, _spec(rendering, kind))
    return Autoscaler(1, 5000, found.metrics, tolerance=found.tolerance)


def proposed(rendering: str, value: float | None, pods: int, ready: int | None = None) -> int | None:
    """Return the proposal of a shipped autoscaler for a value of its metric; `ready` is by default all pods."""
    return autoscaler(rendering).proposed(Pods(pods, pods, pods if ready is None else ready), [value])


@pytest.mark.parametrize(
    ("rendering", "name", "exact"),
    [
        ("component hpa-stream", "hpa", True),
        ("component keda-stream", "keda", True),
        ("component hpa-ratio", "hpa-ratio", True),
        ("configure older", "hpa", False),
        ("configure most", "keda", False),
    ],
)
def test_the_simulation_has_the_shipped_autoscalers(rendering: str, name: str, exact: bool) -> None:
    kind = "ScaledObject" if name == "keda" else "HorizontalPodAutoscaler"
    spec = _spec(rendering, kind)
    suffix = "ReplicaCount" if name == "keda" else "Replicas"
    made = shipped(name, spec[f"min{suffix}"], spec[f"max{suffix}"], exact=exact)
    ours, theirs = (scaler_of(each, 15) for each in (made, {"kind": kind, "spec": spec}))
    assert (ours.series, ours.minimum, ours.maximum) == (theirs.series, theirs.minimum, theirs.maximum)
    assert [loop.seconds for loop in ours.loops] == [loop.seconds for loop in theirs.loops]
    assert made["spec"].get("cooldownPeriod") == spec.get("cooldownPeriod")
    found = [_autoscaler(kind, each) for each in (made["spec"], spec)]
    assert [(each.metrics[0].kind, each.metrics[0].target, each.tolerance) for each in found[:1]] == [
        (each.metrics[0].kind, each.metrics[0].target, each.tolerance) for each in found[1:]
    ]
    assert (found[0].behavior.up, found[0].behavior.down) == (found[1].behavior.up, found[1].behavior.down)


@pytest.mark.parametrize(("busy", "waiting", "streamers"), [(0, 0, 4), (3, 0, 4), (4, 0, 4), (4, 3, 4), (1, 0, 7)])
async def test_the_ratio_of_two_replicas_is_players_to_streamers(
    replicas: Replicas, busy: int, waiting: int, streamers: int
) -> None:
    await replicas.fleet(streamers, busy=busy, waiting=waiting)
    assert len(replicas.scraped("matchmaker_streamer_demand_ratio")) == 2
    ratio = replicas.average("matchmaker_streamer_demand_ratio")
    assert ratio == pytest.approx((busy + waiting) / streamers)


async def test_a_leased_streamer_counts_as_used(replicas: Replicas) -> None:
    await replicas.fleet(4, busy=1, waiting=1)
    assert replicas.average("matchmaker_streamer_demand_ratio") == pytest.approx(2 / 4)


async def test_a_full_fleet_with_a_queue_scales_up_and_an_idle_one_down(replicas: Replicas) -> None:
    await replicas.fleet(4, busy=4, waiting=3)
    ratio = replicas.average("matchmaker_streamer_demand_ratio")
    assert ratio is not None
    assert proposed("component hpa-ratio", ratio, 4) == math.ceil(7 / 0.9)
    assert proposed("component hpa-ratio", 2 / 10, 10) == math.ceil(2 / 0.9)


@pytest.mark.parametrize("rendering", EXACT)
@pytest.mark.parametrize("size", SIZES)
async def test_each_waiting_player_and_each_warm_slot_gets_a_pod(replicas: Replicas, rendering: str, size: int) -> None:
    busy = min(size, 20)
    await replicas.fleet(busy, busy=busy, waiting=1)
    wanted = replicas.average("pixelfleet_streams_wanted", app="game")
    assert wanted == busy + 1 + 1
    assert proposed(rendering, size + 2, size) == size + 2
    assert proposed(rendering, size + 1, size) == size + 1


@pytest.mark.parametrize("rendering", EXACT)
@pytest.mark.parametrize("size", SIZES)
def test_pods_that_nobody_needs_are_removed(rendering: str, size: int) -> None:
    assert proposed(rendering, size - 1, size) == size - 1


@pytest.mark.parametrize("rendering", EXACT)
def test_starting_pods_are_neither_ordered_twice_nor_forgotten(rendering: str) -> None:
    assert proposed(rendering, 11, 1, ready=0) == 11
    assert proposed(rendering, 11, 11, ready=0) == 11


@pytest.mark.parametrize("rendering", OLDER)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("more", [1, 2, 50])
def test_before_1_35_each_waiting_player_gets_a_pod_at_a_bounded_cost(rendering: str, size: int, more: int) -> None:
    wanted = size + more
    assert autoscaler(rendering).tolerance == Tolerance(0.1, 0.1)
    found = proposed(rendering, beyond_tolerance(wanted, size), size)
    assert found is not None
    assert wanted <= found <= max(wanted, 1.1 * size + 1)


def test_the_raised_value_exceeds_the_tolerance_for_each_number_of_pods() -> None:
    covered = [pods for pods in range(1, 5001) if Tolerance().covers(beyond_tolerance(pods + 1, pods) / pods)]
    assert covered == []


@pytest.mark.parametrize(("size", "idle"), [(1, 0), (9, 0), (10, 1), (20, 2), (100, 10), (1000, 100)])
def test_before_1_35_a_tenth_of_the_pods_stays_idle(size: int, idle: int) -> None:
    """The number that docs/how-to/kubernetes.md states."""
    for rendering in OLDER:
        assert proposed(rendering, size - idle, size) == size
        assert proposed(rendering, size - idle - 1, size) == size - idle - 1


@pytest.mark.parametrize("busy", [4, 8, 10])
async def test_a_rollout_that_drains_busy_pods_does_not_scale_up(replicas: Replicas, busy: int) -> None:
    await replicas.fleet(10, busy=busy)
    before = replicas.average("matchmaker_streamer_demand_ratio")
    wanted = replicas.average("pixelfleet_streams_wanted", app="game")
    await replicas.fleet(10, busy=busy, draining=3, sequence=2)
    during = replicas.average("matchmaker_streamer_demand_ratio")
    assert before is not None
    assert during is not None
    scaled = [proposed("component hpa-ratio", value, 10) or 0 for value in (before, during)]
    assert scaled[1] <= scaled[0]
    assert replicas.average("pixelfleet_streams_wanted", app="game") == wanted


async def test_waiting_players_without_streamers_scale_up(replicas: Replicas) -> None:
    await replicas.fleet(0, waiting=2)
    ratio = replicas.average("matchmaker_streamer_demand_ratio")
    assert ratio == 3
    assert proposed("component hpa-ratio", ratio, 1) == 4


def test_keda_goes_to_zero_and_back() -> None:
    spec = _spec("component keda-stream", "ScaledObject")
    assert [scaled_object_of(spec).poll(0, 0, value) for value in (0, 1, 2)] == [0, 1, 1]
    scaled = scaled_object_of(spec)
    assert scaled.poll(0, 1, 1) == 1
    assert [scaled.poll(now, 1, 0) for now in (5, 600, 606)] == [1, 1, 0]


def test_keda_does_not_scale_without_the_series() -> None:
    (trigger,) = _spec("component keda-stream", "ScaledObject")["triggers"]
    assert trigger["metadata"]["ignoreNullValues"] == "false"


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matchmaker_metrics, "READ_SECONDS", 0.01)
    monkeypatch.setattr(matchmaker_metrics, "STALE_SECONDS", 1.0)


@pytest.fixture
async def reading(replicas: Replicas, quickly: None) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        for _, gauges in replicas.each:
            await stack.enter_async_context(background(gauges.run()))
        yield replicas


SERIES = ("matchmaker_streamer_demand_ratio", "matchmaker_player_queue_count", "pixelfleet_streams_wanted")


async def test_the_series_are_absent_while_the_store_is_unavailable(reading: Replicas) -> None:
    await reading.fleet(2, busy=1)
    assert all(len(reading.scraped(name)) == 2 for name in SERIES)
    reading.store.away = True
    await eventually(lambda: not any(reading.scraped(name) for name in SERIES), "the series are gone")
    assert reading.average("matchmaker_streamer_demand_ratio") is None
    reading.store.away = False
    await eventually(lambda: all(len(reading.scraped(name)) == 2 for name in SERIES), "the series are back")


def _read_by_autoscalers() -> Iterator[str]:
    for rendering in AUTOSCALED:
        for scaler in of_kind(rendered(rendering), "HorizontalPodAutoscaler", "ScaledObject"):
            for metric in scaler["spec"].get("metrics", []):
                if metric["type"] != "Resource":
                    yield ADAPTED[metric[metric["type"].lower()]["metric"]["name"]]
            for trigger in scaler["spec"].get("triggers", []):
                yield from re.findall(r"\b(?:pixelfleet|matchmaker|signalserver)_\w+", trigger["metadata"]["query"])


async def test_every_metric_that_an_autoscaler_reads_is_exported(replicas: Replicas) -> None:
    await replicas.fleet(1, busy=1)
    read = set(_read_by_autoscalers())
    assert {"pixelfleet_streams_wanted", "matchmaker_streamer_demand_ratio"} <= read
    assert [name for name in read if not replicas.scraped(name)] == []


def _adapters() -> list[Path]:
    return sorted(path for path in ROOT.glob("telemetry/**/*adapter*.yaml"))


def test_the_adapter_names_each_series_and_averages_the_fleets() -> None:
    for path in _adapters():
        rules = yaml.safe_load(path.read_text())["rules"]["custom"]
        named = {rule["name"].get("as"): rule for rule in rules}
        for name, series in ADAPTED.items():
            assert named[name]["seriesQuery"].startswith(series + "{")
            if series.startswith("matchmaker_"):
                assert named[name]["metricsQuery"].startswith("avg")


def rollout(size: int, *, counts_draining: bool = True) -> Rollout:
    """Return a rollout of busy pods with the shipped autoscaler, whose limits and rules apply."""
    shipped = autoscaler_of(_spec("component hpa-stream", "HorizontalPodAutoscaler"))
    scaler = Autoscaler(1, 5000, shipped.metrics, shipped.behavior, shipped.tolerance)
    return Rollout(scaler, replicas=size, busy=size, counts_draining=counts_draining)


@pytest.mark.parametrize("size", [4, 8, 20, 100, 1000])
@pytest.mark.parametrize("leaving", [0, 1])
def test_a_rollout_of_busy_pods_drains_a_quarter_at_most(size: int, leaving: int) -> None:
    running = rollout(size)
    for _ in range(480):  # two hours
        running.step(leaving)
    assert running.most_drained <= max(size // 4, 1)
    assert running.replicas == size


def test_idle_new_pods_replace_further_busy_ones_when_the_demand_falls() -> None:
    """The limit that docs/how-to/kubernetes.md states; three quarters of the streams stay ready in any case."""
    running = rollout(100)
    for _ in range(480):
        running.step(1, arriving=False)
        assert running.pods().ready >= running.replicas * 0.75
    assert running.most_drained > 25


def test_a_rollout_ends() -> None:
    running = rollout(20)
    for _ in range(480):
        running.step(1)
    assert (running.busy, running.draining, running.pending) == (0, 0, 0)


def test_a_rollout_would_drain_more_if_the_players_of_draining_pods_were_not_wanted() -> None:
    """As seen on Kubernetes 1.36: the number of pods falls, and the Deployment drains further ones."""
    running = rollout(8, counts_draining=False)
    for _ in range(480):
        running.step()
    assert running.most_drained > 2


async def test_capacity_that_takes_no_player_is_replaced(replicas: Replicas) -> None:
    await replicas.fleet(3, busy=2, waiting=0)
    await replicas.store.set_operator_drain("pod-2/cam", on=True)
    await replicas.fleet(3, busy=2, waiting=1, sequence=2)
    wanted = replicas.average("pixelfleet_streams_wanted", app="game")
    assert wanted == 2 + 1 + 1 + 1  # occupied, drained by an operator, waiting, warm
    assert proposed("component hpa-stream", wanted, 3) == 5
