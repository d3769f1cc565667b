"""The matchmaker's metrics, under the names that existing dashboards and autoscaling rules read.

All replicas read the fleet's gauges from the store, so they are equal: average them over replicas, never sum them.
They are absent, never 0, while the store is unavailable or warming up: autoscalers must not act on a wrong 0.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal, get_args

import structlog
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from matchmaker.webhooks.metrics import WebhookMetrics
from pixelfleet.autoscaling.demand import demand_ratio
from pixelfleet.fleet.model import AppTotals, Totals
from pixelfleet.fleet.resumption import Returned
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.protocol.endings import Ending
from pixelfleet.service.metrics import Notes, Registries

log = structlog.get_logger(__name__)

READ_SECONDS: Final = 1.0
STALE_SECONDS: Final = 5.0
MAX_APPS: Final = 500
"""Applications with series of their own. Their names are from settings and servers, not from players."""

OTHER: Final = "other"
"""The label of all unknown applications together: their names are from players."""

WAIT_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
"""In seconds."""

DIAL_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
"""In seconds."""

BY_APP: Final[Mapping[str, tuple[str, Callable[[AppTotals], float]]]] = {
    "streams_ready": ("Streamers that are ready and not draining.", lambda app: app.streamers),
    "streams_available": ("Streamers with a free slot.", lambda app: app.available),
    "streams_aside": ("Streamers in quarantine after failed dials.", lambda app: app.quarantined),
    "slots": ("Slots of the ready streamers.", lambda app: app.slots),
    "slots_used": ("Slots that are occupied or leased.", lambda app: app.used),
    "players_waiting": ("Players in the queue.", lambda app: app.waiting),
    "oldest_wait_seconds": ("Waiting time of the player that has waited longest.", lambda app: app.oldest_wait),
}
"""Gauges of each application: the name after `pixelfleet_`, the help text, the value."""


class Metrics:
    """The metrics of one replica."""

    def __init__(self) -> None:
        self.registries = Registries("matchmaker")
        registry = self.registries.all
        self._notes = Notes(registry)
        self.players = self.registries.custom_gauge(
            "matchmaker_player_socket_connections", "Players connected to this replica."
        )
        self.connections = self.registries.custom_gauge(
            "matchmaker_link_connections", "Legacy signalling servers connected to this replica."
        )
        self._wait = Histogram(
            "matchmaker_wait_seconds",
            "Time from a player's connection to its match.",
            ["app"],
            buckets=WAIT_BUCKETS,
            registry=registry,
        )
        self._dial = Histogram(
            "matchmaker_dial_seconds",
            "Duration of successful dials of signalling servers.",
            buckets=DIAL_BUCKETS,
            registry=registry,
        )
        dials = Counter("matchmaker_dials", "Dials of signalling servers.", ["outcome"], registry=registry)
        self._dials = {ok: dials.labels("ok" if ok else "failed") for ok in (True, False)}
        self._matches = Counter("matchmaker_matches", "Matches of players to streamers.", ["app"], registry=registry)
        left = Counter(
            "matchmaker_players_left",
            "Players whose connection has ended, by how it ended, without those that a router took over.",
            ["ending"],
            registry=registry,
        )
        returns = Counter(
            "matchmaker_returns",
            "Pages that returned with a token.",
            ["outcome"],
            registry=registry,
        )
        self._returns = {outcome: returns.labels(outcome) for outcome in ("place", *get_args(Returned))}
        self._passed_over = Counter(
            "matchmaker_players_passed_over",
            "Relayed players whose page did not answer its match in time; routers count the others.",
            registry=registry,
        )
        self._left = {ending: left.labels(ending.value) for ending in Ending}
        self._refused = Counter(
            "matchmaker_upgrades_refused",
            "Websockets of players refused with an HTTP status, by reason.",
            ["reason"],
            registry=registry,
        )
        self.webhooks = WebhookMetrics(registry)
        self._app_metrics: dict[str, tuple[Histogram, Counter]] = {}
        """Children of `_wait` and `_matched` by application; `labels` is slower than this lookup."""

    def matched(self, app: str, seconds: float) -> None:
        """Record a match after a wait of `seconds`."""
        if app not in self._app_metrics:
            self._app_metrics[app] = (self._wait.labels(app), self._matches.labels(app))
        waits, matches = self._app_metrics[app]
        self._notes.add(waits.observe, seconds)
        self._notes.add(matches.inc)

    def dial_took(self, seconds: float) -> None:
        """Record the duration of a successful dial."""
        self._notes.add(self._dial.observe, seconds)

    def dialled(self, *, ok: bool) -> None:
        """Count a dial."""
        self._notes.add(self._dials[ok].inc)

    def left(self, ending: Ending) -> None:
        """Count a player whose connection has ended."""
        self._notes.add(self._left[ending].inc)

    def passed_over(self) -> None:
        """Count a player whose page did not answer its match."""
        self._passed_over.inc()

    def returned(self, outcome: Returned | Literal["place"]) -> None:
        """Count a page that returned: to a place in the queue, or with the outcome of the return to its session."""
        self._returns[outcome].inc()

    def refused(self, reason: str) -> None:
        """Count a refused player; `reason` is one of a fixed set."""
        self._refused.labels(reason).inc()

    def watch_fleet(self, gauges: "FleetGauges") -> None:
        """Add the fleet's gauges to both registries: for Prometheus and for autoscalers."""
        self.registries.all.register(gauges)
        self.registries.custom.register(gauges)


class FleetGauges(Collector):
    """The fleet's gauges as of the last read, for at most STALE_SECONDS."""

    def __init__(self, store: FleetStore, warm: Mapping[str, int]) -> None:
        self._store = store
        self._warm = warm
        self._loop = asyncio.get_running_loop()
        self._totals: Totals | None = None
        self._read_at = float("-inf")

    @property
    def totals(self) -> Totals | None:
        """The totals of the last read, or None when they are stale or the store is warming up."""
        fresh = self._loop.time() - self._read_at < STALE_SECONDS
        return self._totals if fresh and self._totals is not None and not self._totals.warming_up else None

    async def run(self) -> None:
        """Read the totals every READ_SECONDS, until cancelled."""
        while True:
            await self.read()
            await asyncio.sleep(READ_SECONDS)

    async def read(self) -> None:
        """Read the totals once; keep the last ones when the store is unavailable."""
        try:
            totals = await self._store.totals()
        except StoreUnavailableError as error:
            log.debug("fleet totals unavailable", why=str(error))
        else:
            self._totals, self._read_at = totals, self._loop.time()

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges, or nothing while the totals are unavailable."""
        totals = self.totals
        if totals is None:
            return
        yield from _fleet_gauges(totals.apps)
        yield from self._app_gauges(totals.apps, totals.unknown_waiting)

    def _app_gauges(self, apps: Mapping[str, AppTotals], unknown_waiting: int) -> Iterator[Metric]:
        names = shown_apps(apps, self._warm)
        demand = GaugeMetricFamily(
            "pixelfleet_streams_wanted",
            "Occupied and leased slots, waiting players that a further streamer would serve, warm slots, and slots "
            "that exist and take no player.",
            labels=["app"],
        )
        for name in names:
            totals = apps.get(name, AppTotals())
            demand.add_metric([name], totals.wanted + self._warm.get(name, 0))
        yield demand
        for suffix, (text, value) in BY_APP.items():
            family = GaugeMetricFamily(f"pixelfleet_{suffix}", text, labels=["app"])
            for name in names:
                family.add_metric([name], value(apps.get(name, AppTotals())))
            if suffix == "players_waiting" and OTHER not in names:
                family.add_metric([OTHER], unknown_waiting)
            yield family


def _fleet_gauges(apps: Mapping[str, AppTotals]) -> Iterator[Metric]:
    totals = list(apps.values())
    waiting = sum(app.waiting for app in totals)
    slots = sum(app.slots for app in totals)
    players = sum(app.demand for app in totals)
    yield GaugeMetricFamily(
        "matchmaker_player_queue_count",
        "Players in the queue of the whole fleet, without those for unknown applications.",
        value=waiting,
    )
    yield GaugeMetricFamily(
        "matchmaker_streamer_available_count",
        "Streamers with a free slot.",
        value=sum(app.available for app in totals),
    )
    yield GaugeMetricFamily(
        "matchmaker_streamer_connections", "Streamers that are ready.", value=sum(app.streamers for app in totals)
    )
    yield GaugeMetricFamily("matchmaker_streamer_demand_ratio", "Players per slot.", value=demand_ratio(players, slots))


def shown_apps(apps: Mapping[str, AppTotals], configured: Iterable[str]) -> list[str]:
    """Return at most MAX_APPS names, sorted. Configured applications and those with streamers take precedence."""
    configured_apps = set(configured)

    def precedence(name: str) -> tuple[bool, int, int, str]:
        totals = apps.get(name, AppTotals())
        return name not in configured_apps, -totals.streamers, -totals.waiting, name

    return sorted(sorted(configured_apps.union(apps), key=precedence)[:MAX_APPS])
