"""Metrics of the router."""

from functools import cache
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import Counter

from pixelfleet.protocol.endings import Ending
from pixelfleet.service.metrics import Registries
from router.players import Players
from router.proxy.forward import Forwarder
from router.upstreams.matchmakers import Matchmakers

STATUSES = frozenset(int(status) for status in HTTPStatus)
SECTIONS = frozenset({"", "ws", "matchmaker", "api", "proxy", "dashboard", "assets"})


class Metrics:
    """A router's metrics."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self.registries = Registries("router")
        self._requests = Counter(
            "router_requests",
            "Responses by part of the router and status.",
            ["door", "status"],
            registry=self.registries.all,
        )
        handovers = Counter(
            "router_handovers",
            "Dials of signalling servers for matched players.",
            ["outcome"],
            registry=self.registries.all,
        )
        self._handovers = {ok: handovers.labels("ok" if ok else "failed") for ok in (True, False)}
        left = Counter(
            "router_players_left",
            "Players whose connection has ended, by how it ended.",
            ["ending"],
            registry=self.registries.all,
        )
        self._passed_over = Counter(
            "router_players_passed_over",
            "Players whose page did not answer its match in time.",
            registry=self.registries.all,
        )
        self._left = {ending: left.labels(ending.value) for ending in Ending}
        self._counter = cache(self._requests.labels)  # to find one costs more than to count

    def watch(self, players: Players, matchmakers: Matchmakers, forwarder: Forwarder) -> None:
        """Register the gauges, which read these objects at each scrape."""
        gauge = self.registries.custom_gauge
        gauge("router_player_socket_connections", "Connected players.").set_function(lambda: len(players))
        gauge("router_matchmakers", "Matchmakers that are ready.").set_function(matchmakers.usable)
        gauge("router_exchanges", "Requests over /proxy and /api in progress.").set_function(lambda: forwarder.active)

    def handover(self, ok: bool) -> None:
        """Count a dial of a signalling server."""
        self._handovers[ok].inc()

    def left(self, ending: Ending) -> None:
        """Count a player whose connection has ended."""
        self._left[ending].inc()

    def passed_over(self) -> None:
        """Count a player whose page did not answer its match."""
        self._passed_over.inc()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count the response to an HTTP request; Admission counts websockets."""
        response = await handler(request)
        self.answered(request.path, response.status)
        return response

    def answered(self, path: str, status: int) -> None:
        """Count a response."""
        self._counter(section_of(path.removeprefix(self._prefix)), status_label(status)).inc()


def status_label(status: int) -> str:
    """Return the label of a status: `other` if HTTP does not define it, as some upstreams respond."""
    return str(status) if status in STATUSES else "other"


def section_of(path: str) -> str:
    """Return the label for a path: one of a fixed set, whatever paths clients request."""
    first = path.lstrip("/").partition("/")[0]
    return (first or "page") if first in SECTIONS else "other"
