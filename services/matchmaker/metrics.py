"""The matchmaker's numbers, under the names that existing dashboards and autoscaling rules read.

The fleet's gauges are the same on every replica, since all read them from the store; an average over replicas is
right, a sum is not. They are absent, never 0, while the store is out of reach or young: no autoscaler acts on a guess.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import structlog
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pixelfleet.fleet.model import AppTotals, Totals
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.service.metrics import Notes, Registries

log = structlog.get_logger(__name__)

READ_SECONDS: Final = 1.0
STALE_SECONDS: Final = 5.0
MAX_APPS: Final = 500
"""Apps that are shown one by one: players may name any, and each name would be a series for an hour."""

WAITS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
DIALS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


BY_APP: Final[Mapping[str, tuple[str, Callable[[AppTotals], float]]]] = {
    "streams_ready": ("Streamers that are ready and not draining.", lambda app: app.streamers),
    "streams_available": ("Streamers with a free slot.", lambda app: app.available),
    "streams_aside": ("Streamers left alone because they could not be reached.", lambda app: app.quarantined),
    "slots": ("Sessions that the ready streamers can hold.", lambda app: app.slots),
    "slots_used": ("Of these, held or promised.", lambda app: app.used),
    "players_waiting": ("Players in the queue.", lambda app: app.waiting),
    "oldest_wait_seconds": ("How long the longest-waiting player has waited.", lambda app: app.oldest_wait),
}


class Metrics:
    """What a matchmaker shows."""

    def __init__(self) -> None:
        self.registries = Registries("matchmaker")
        every = self.registries.all
        self._notes = Notes(every)
        self.players = self.registries.custom_gauge(
            "matchmaker_player_socket_connections", "Players connected to this replica."
        )
        self.connections = self.registries.custom_gauge(
            "matchmaker_link_connections", "Stock signalling servers connected to this replica."
        )
        self._wait = Histogram(
            "matchmaker_wait_seconds",
            "From a player's arrival to its streamer.",
            ["app"],
            buckets=WAITS,
            registry=every,
        )
        self._dial = Histogram(
            "matchmaker_dial_seconds", "Until a signalling server took a player.", buckets=DIALS, registry=every
        )
        dials = Counter("matchmaker_dials", "Dials of signalling servers.", ["outcome"], registry=every)
        self._dials = {ok: dials.labels("ok" if ok else "failed") for ok in (True, False)}
        self._matched = Counter("matchmaker_matches", "Streamers given to players.", ["app"], registry=every)
        self._of_app: dict[str, tuple[Histogram, Counter]] = {}
        """What `labels` would look up again for each player."""

    def waited(self, app: str, seconds: float) -> None:
        """A player has been given a streamer."""
        if app not in self._of_app:
            self._of_app[app] = (self._wait.labels(app), self._matched.labels(app))
        waits, matches = self._of_app[app]
        self._notes.add(waits.observe, seconds)
        self._notes.add(matches.inc)

    def dial_took(self, seconds: float) -> None:
        """A signalling server has answered a dial."""
        self._notes.add(self._dial.observe, seconds)

    def dialled(self, *, ok: bool) -> None:
        """A signalling server has taken a player, or has not."""
        self._notes.add(self._dials[ok].inc)

    def watch_fleet(self, gauges: "FleetGauges") -> None:
        """Show the fleet's numbers, to autoscalers too."""
        self.registries.all.register(gauges)
        self.registries.custom.register(gauges)


class FleetGauges(Collector):
    """The fleet's numbers as they were at the last reading, unless that is long ago."""

    def __init__(self, store: FleetStore, warm: Mapping[str, int]) -> None:
        self._store = store
        self._warm = warm
        self._loop = asyncio.get_running_loop()
        self._totals: Totals | None = None
        self._read_at = float("-inf")

    @property
    def totals(self) -> Totals | None:
        """The last reading, or None when it is too old to be believed, or the store is young."""
        fresh = self._loop.time() - self._read_at < STALE_SECONDS
        return self._totals if fresh and self._totals is not None and not self._totals.warming_up else None

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            await self.read()
            await asyncio.sleep(READ_SECONDS)

    async def read(self) -> None:
        """Read once; what cannot be read stays as it was, for a while."""
        try:
            totals = await self._store.totals()
        except StoreUnavailableError as error:
            log.debug("fleet numbers are not known", why=str(error))
        else:
            self._totals, self._read_at = totals, self._loop.time()

    def collect(self) -> Iterator[Metric]:
        """Return the gauges, or nothing."""
        totals = self.totals
        if totals is None:
            return
        yield from _whole(totals.apps)
        yield from self._by_app(totals.apps)

    def _by_app(self, apps: Mapping[str, AppTotals]) -> Iterator[Metric]:
        names = shown_apps(apps, self._warm)
        wanted = GaugeMetricFamily(
            "pixelfleet_streams_wanted", "Slots that are held or waited for, and warm ones.", labels=["app"]
        )
        for name in names:
            totals = apps.get(name, AppTotals())
            wanted.add_metric([name], totals.used + totals.waiting + self._warm.get(name, 0))
        yield wanted
        for suffix, (text, value) in BY_APP.items():
            family = GaugeMetricFamily(f"pixelfleet_{suffix}", text, labels=["app"])
            for name in names:
                family.add_metric([name], value(apps.get(name, AppTotals())))
            yield family


def _whole(apps: Mapping[str, AppTotals]) -> Iterator[Metric]:
    every = list(apps.values())
    waiting = sum(app.waiting for app in every)
    slots = sum(app.slots for app in every)
    players = waiting + sum(app.used for app in every)
    yield GaugeMetricFamily("matchmaker_player_queue_count", "Players waiting, in the whole fleet.", value=waiting)
    yield GaugeMetricFamily(
        "matchmaker_streamer_available_count",
        "Streamers with a free slot.",
        value=sum(app.available for app in every),
    )
    yield GaugeMetricFamily(
        "matchmaker_streamer_connections", "Streamers that are ready.", value=sum(app.streamers for app in every)
    )
    yield GaugeMetricFamily(
        "matchmaker_streamer_demand_ratio", "Players for each slot.", value=demand_ratio(players, slots)
    )


def shown_apps(apps: Mapping[str, AppTotals], configured: Iterable[str]) -> list[str]:
    """Return the names of the apps that are shown: those that are configured or have streamers come first."""
    chosen = set(configured)

    def importance(name: str) -> tuple[bool, int, int, str]:
        return name not in chosen, -apps.get(name, AppTotals()).streamers, -apps.get(name, AppTotals()).waiting, name

    return sorted(sorted(chosen.union(apps), key=importance)[:MAX_APPS])


def demand_ratio(players: int, slots: float) -> float:
    """Return players for each slot; with no slot, one more than there are players, or 0 for none."""
    if slots:
        return players / slots
    return players + 1 if players else 0
