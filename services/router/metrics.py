"""What a router counts."""

from functools import cache
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import Counter

from pixelfleet.service.metrics import Registries
from router.players import Players
from router.proxy.forward import Forwarder
from router.upstreams.matchmakers import Matchmakers

STATUSES = frozenset(int(status) for status in HTTPStatus)
DOORS = frozenset({"", "ws", "matchmaker", "api", "proxy", "dashboard", "assets"})


class Metrics:
    """A router's metrics."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self.registries = Registries("router")
        self._requests = Counter(
            "router_requests", "Answers by door and status.", ["door", "status"], registry=self.registries.all
        )
        self._counter = cache(self._requests.labels)  # to find one costs more than to count

    def watch(self, players: Players, matchmakers: Matchmakers, forwarder: Forwarder) -> None:
        """Show these from now on."""
        gauge = self.registries.custom_gauge
        gauge("router_player_socket_connections", "Players connected.").set_function(lambda: len(players))
        gauge("router_matchmakers", "Matchmakers that answer.").set_function(matchmakers.usable)
        gauge("router_exchanges", "Exchanges over /proxy and /api under way.").set_function(lambda: forwarder.under_way)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count an answer of HTTP."""
        response = await handler(request)
        self.answered(request.path, response.status)
        return response

    def answered(self, path: str, status: int) -> None:
        """Count an answer."""
        self._counter(door_of(path.removeprefix(self._prefix)), status_label(status)).inc()


def status_label(status: int) -> str:
    """Return the label of a status; `other` for one that HTTP does not define, which only an upstream answers."""
    return str(status) if status in STATUSES else "other"


def door_of(path: str) -> str:
    """Return a label for a path: a fixed set, however many paths strangers ask for."""
    first = path.lstrip("/").partition("/")[0]
    return (first or "page") if first in DOORS else "other"
