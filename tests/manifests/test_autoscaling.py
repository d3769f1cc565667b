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
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import ServerReport, StreamerReport, Ticket, Totals
from pixelfleet.fleet.store import StoreUnavailableError
from pixelfleet.service.lifecycle import background
from tests.manifests.pods import of_kind
from tests.manifests.rendering import ROOT, rendered, require_kubectl
from tests.parts import eventually

ADAPTED = {
    "stream_player_connections": "stream_player_connections",
    "pixelstream_player_queue_count": "matchmaker_player_queue_count",
    "pixelstream_available_count": "matchmaker_streamer_available_count",
    "player_stream_pool_ratio": "matchmaker_streamer_demand_ratio",
}
"""The names under which the Prometheus adapter exposes the series to autoscalers."""

AUTOSCALED = ("component hpa-stream", "component hpa-services", "component keda-stream", "configure most")

TOLERANCE = 0.1
"""Kubernetes does not scale within this tolerance of the target."""


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


def target() -> float:
    """Return the target ratio of the HorizontalPodAutoscaler."""
    (metric,) = _spec("component hpa-stream", "HorizontalPodAutoscaler")["metrics"]
    assert metric["object"]["target"]["type"] == "Value"
    text = metric["object"]["target"]["value"]
    return float(text.removesuffix("m")) / (1000 if text.endswith("m") else 1)


def wanted_by_hpa(current: int, ratio: float) -> int:
    """Return the replicas that Kubernetes computes for a metric with a target value."""
    return current if abs(ratio / target() - 1) <= TOLERANCE else math.ceil(current * ratio / target())


def wanted_by_keda(value: float) -> int:
    """Return the replicas that KEDA computes: none up to the activation threshold, then the HPA's by an average."""
    spec = _spec("component keda-stream", "ScaledObject")
    trigger = spec["triggers"][0]
    assert trigger["metricType"] == "AverageValue"
    metadata = trigger["metadata"]
    if value <= float(metadata["activationThreshold"]):
        return int(spec["minReplicaCount"])
    return min(max(1, math.ceil(value / float(metadata["threshold"]))), int(spec["maxReplicaCount"]))


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
    assert wanted_by_hpa(4, ratio) == math.ceil(7 / target())
    assert wanted_by_hpa(10, 2 / 10) == math.ceil(2 / target())


@pytest.mark.parametrize("busy", [4, 8, 10])
async def test_a_rollout_that_drains_busy_pods_does_not_scale_up(replicas: Replicas, busy: int) -> None:
    await replicas.fleet(10, busy=busy)
    before = replicas.average("matchmaker_streamer_demand_ratio")
    wanted = replicas.average("pixelfleet_streams_wanted", app="game")
    await replicas.fleet(10, busy=busy, draining=3, sequence=2)
    during = replicas.average("matchmaker_streamer_demand_ratio")
    assert before is not None
    assert during is not None
    assert wanted_by_hpa(10, during) <= wanted_by_hpa(10, before)
    assert replicas.average("pixelfleet_streams_wanted", app="game") == (wanted or 0) - 3


async def test_waiting_players_without_streamers_scale_up(replicas: Replicas) -> None:
    await replicas.fleet(0, waiting=2)
    ratio = replicas.average("matchmaker_streamer_demand_ratio")
    assert ratio == 3
    assert wanted_by_hpa(1, ratio) > 1


async def test_keda_follows_the_demand(replicas: Replicas) -> None:
    await replicas.fleet(4, busy=4, waiting=2)
    wanted = replicas.average("pixelfleet_streams_wanted", app="game")
    assert wanted == 4 + 2 + 1
    assert wanted_by_keda(wanted) == 7


def test_keda_goes_to_zero_and_back() -> None:
    assert [wanted_by_keda(value) for value in (0, 1, 2)] == [0, 1, 2]


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
