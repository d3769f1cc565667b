"""The signalling server's REST API: the reference server's reads, and what an operator may change."""

from dataclasses import dataclass
from importlib.resources import files
from time import perf_counter
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from pixelfleet.net.access import TokenGuard, client_address
from pixelfleet.net.http import json_response
from pixelfleet.net.websocket import WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.messages import PROTOCOL_VERSION
from pixelfleet.service.lifecycle import Tasks
from pixelfleet.service.version import VERSION
from signalserver.core.roster import Role, Source, Subscriber
from signalserver.drain import Drain
from signalserver.hub import Hub

log = structlog.get_logger(__name__)

OPENAPI: Final = files("signalserver").joinpath("openapi.json").read_bytes()
MAX_REASON_LENGTH: Final = 120


@dataclass(slots=True)
class Rest:
    """The handlers of `/api`."""

    hub: Hub
    drain: Drain
    tasks: Tasks
    guard: TokenGuard
    open_reads: bool
    """Whether reading needs no token, as with the reference server's `--rest_api`."""
    config: dict[str, Any]
    """The settings as they may be shown."""
    started: float
    proxies: int = 0
    """Proxies of ours, whose word on a client's address is believed."""

    def add_to(self, app: web.Application) -> None:
        """Serve the API."""
        routes = app.router
        routes.add_get("/api/api-definition", self.definition)
        routes.add_get("/api/status", self.status)
        routes.add_get("/api/config", self._reader(self.show_config))
        routes.add_get("/api/streamers", self._reader(self.streamers))
        routes.add_get("/api/streamers/{id}", self._reader(self.streamer))
        routes.add_get("/api/players", self._reader(self.players))
        routes.add_get("/api/players/{id}", self._reader(self.player))
        routes.add_delete("/api/players/{id}", self.kick)
        routes.add_post("/api/drain", self.begin_drain)
        routes.add_get("/drain", self.wait_drained)

    def _reader(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if not self.open_reads:
                self.guard.check(request)
            return await handler(request)

        return guarded

    async def definition(self, _: web.Request) -> web.Response:
        """Return the OpenAPI document."""
        return web.Response(body=OPENAPI, content_type="application/json")

    async def status(self, _: web.Request) -> web.Response:
        """Return how the server does, without a word about anybody."""
        return json_response(
            {
                "uptime": round((perf_counter() - self.started) * 1000),
                "streamer_count": len(self.hub.switchboard.streamers()),
                "player_count": self.hub.count(Role.PLAYER),
                "version": VERSION,
            }
        )

    async def show_config(self, _: web.Request) -> web.Response:
        """Return the settings; secrets are left out."""
        return json_response({"config": self.config, "protocolConfig": {"protocolVersion": PROTOCOL_VERSION}})

    async def streamers(self, _: web.Request) -> web.Response:
        """Return every streamer and SFU."""
        return json_response([_source(source) for source in self.hub.switchboard.sources()])

    async def streamer(self, request: web.Request) -> web.Response:
        """Return one streamer."""
        for source in self.hub.switchboard.sources():
            if source.endpoint_id == request.match_info["id"]:
                return json_response(_source(source))
        raise web.HTTPNotFound(reason="no such streamer")

    async def players(self, _: web.Request) -> web.Response:
        """Return every player."""
        return json_response([_player(player) for player in self.hub.switchboard.players()])

    async def player(self, request: web.Request) -> web.Response:
        """Return one player."""
        return json_response(_player(self._find(request)))

    async def kick(self, request: web.Request) -> web.Response:
        """Close one player, who is told not to come back."""
        self.guard.check(request)
        player = self._find(request)
        reason = request.query.get("reason", "")[:MAX_REASON_LENGTH] or close_codes.KICKED.reason
        self.hub.kick(player.peer.key, reason)
        log.info("player kicked", peer=player.player_id, reason=reason, by=self._caller(request))
        return json_response({"playerId": player.player_id, "reason": reason})

    async def begin_drain(self, request: web.Request) -> web.Response:
        """Begin to drain, and stay."""
        self.guard.check(request)
        self._start_drain(request)
        return json_response(self._drain_status(), status=202)

    async def wait_drained(self, request: web.Request) -> web.Response:
        """Begin to drain and, with `wait=1`, answer when the last player has left: for a pod's preStop."""
        self.guard.check(request)
        self._start_drain(request)
        if request.query.get("wait") == "1":
            await self.drain.wait()
        return json_response(self._drain_status())

    def _start_drain(self, request: web.Request) -> None:
        if not self.drain.begun:
            log.info("drain asked for", by=self._caller(request))
            self.drain.begin()
            self.tasks.spawn(self._drain())

    async def _drain(self) -> None:
        await self.drain.run()

    def _caller(self, request: web.Request) -> str:
        return client_address(request.remote or "", request.headers, self.proxies)

    def _drain_status(self) -> dict[str, Any]:
        return {"state": self.drain.state.value, "players": self.hub.count(Role.PLAYER)}

    def _find(self, request: web.Request) -> Subscriber[WebSocket]:
        for player in self.hub.switchboard.players():
            if player.player_id == request.match_info["id"]:
                return player
        raise web.HTTPNotFound(reason="no such player")


def _source(source: Source[WebSocket]) -> dict[str, Any]:
    return {
        "streamerId": source.endpoint_id,
        "type": source.peer.role.value,
        "streaming": source.streaming,
        "remoteAddress": source.peer.address,
        "subscribers": list(source.subscribers),
    }


def _player(player: Subscriber[WebSocket]) -> dict[str, Any]:
    source = player.subscribed_to
    return {
        "playerId": player.player_id,
        "type": player.peer.role.value,
        "subscribedTo": source.endpoint_id if source else None,
        "remoteAddress": player.peer.address,
    }
