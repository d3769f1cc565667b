"""The signalling server's REST API: the reads of the reference server, and operators' actions."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from time import perf_counter, time
from typing import Any, Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from pixelfleet.fleet.audit import Audit
from pixelfleet.fleet.operators import Operator
from pixelfleet.net.access import client_address
from pixelfleet.net.extension import extension_seconds
from pixelfleet.net.http import json_response
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.messages import PROTOCOL_VERSION
from pixelfleet.service.lifecycle import Tasks
from pixelfleet.service.version import VERSION
from signalserver.contract import (
    MAX_REASON_LENGTH,
    Config,
    DrainStatus,
    Extended,
    Kicked,
    Player,
    ProtocolConfig,
    Status,
    Streamer,
)
from signalserver.core.roster import Role, Source, Subscriber
from signalserver.drain import Drain
from signalserver.hub import Hub
from signalserver.peer_socket import PeerSocket

OPENAPI: Final = files("signalserver").joinpath("openapi.json").read_bytes()


@dataclass(slots=True)
class Rest:
    """The handlers of `/api`."""

    hub: Hub
    drain: Drain
    tasks: Tasks
    config: dict[str, Any]
    """The settings without secrets."""
    started: float
    server_id: str
    audit: Audit
    proxies: int = 0
    """The number of trusted entries at the end of X-Forwarded-For."""

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers by the names of their operations."""
        return {
            "apiDefinition": self.definition,
            "status": self.status,
            "config": self.show_config,
            "streamers": self.streamers,
            "streamer": self.streamer,
            "players": self.players,
            "player": self.player,
            "kick": self.kick,
            "extend": self.extend,
            "drain": self.begin_drain,
            "waitDrained": self.wait_drained,
        }

    async def definition(self, _: web.Request) -> web.Response:
        """Return the OpenAPI document."""
        return web.Response(body=OPENAPI, content_type="application/json")

    async def status(self, _: web.Request) -> web.Response:
        """Return uptime and counts, with nothing about single peers."""
        return json_response(
            Status(
                uptime=round((perf_counter() - self.started) * 1000),
                streamer_count=len(self.hub.switchboard.streamers()),
                player_count=self.hub.count(Role.PLAYER),
                version=VERSION,
            )
        )

    async def show_config(self, _: web.Request) -> web.Response:
        """Return the settings without secrets."""
        return json_response(
            Config(config=self.config, protocol_config=ProtocolConfig(protocol_version=PROTOCOL_VERSION))
        )

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
        return json_response([self._shown(player) for player in self.hub.switchboard.players()])

    async def player(self, request: web.Request) -> web.Response:
        """Return one player."""
        return json_response(self._shown(self._find(request)))

    async def kick(self, request: web.Request) -> web.Response:
        """Close one player so that it does not reconnect."""
        player = self._find(request)
        reason = request.query.get("reason", "")[:MAX_REASON_LENGTH] or close_codes.KICKED.reason
        self.hub.kick(player.peer.key, reason)
        await self.audit.record("kick", player.player_id, self._operator(request))
        return json_response(Kicked(player_id=player.player_id, reason=reason))

    async def extend(self, request: web.Request) -> web.Response:
        """Let the session of one player last longer."""
        player = self._find(request)
        seconds = extension_seconds(request)
        self.hub.extend(player.peer.key, seconds)
        await self.audit.record(f"extend {seconds:g} s", player.player_id, self._operator(request))
        return json_response(Extended(player_id=player.player_id, seconds=seconds))

    async def begin_drain(self, request: web.Request) -> web.Response:
        """Start to drain; the process keeps running."""
        self._start_drain(request)
        return json_response(self._drain_status(), status=202)

    async def wait_drained(self, request: web.Request) -> web.Response:
        """Start to drain; with `wait=1` respond when the drain is over. For a pod's preStop hook."""
        self._start_drain(request)
        if request.query.get("wait") == "1":
            await self.drain.wait()
        return json_response(self._drain_status())

    def _start_drain(self, request: web.Request) -> None:
        if not self.drain.begun:
            self.drain.begin()
            self.tasks.spawn(self._drain())
            self.tasks.spawn(self.audit.record("drain server", self.server_id, self._operator(request)))

    async def _drain(self) -> None:
        await self.drain.run()

    def _operator(self, request: web.Request) -> Operator:
        return Operator("", "token", client_address(request.remote or "", request.headers, self.proxies))

    def _drain_status(self) -> DrainStatus:
        return DrainStatus(state=self.drain.state, players=self.hub.count(Role.PLAYER))

    def _find(self, request: web.Request) -> Subscriber[PeerSocket]:
        for player in self.hub.switchboard.players():
            if player.player_id == request.match_info["id"]:
                return player
        raise web.HTTPNotFound(reason="no such player")

    def _shown(self, player: Subscriber[PeerSocket]) -> Player:
        source = player.subscribed_to
        now, rules = perf_counter(), self.hub.switchboard.session_rules(player)
        remaining = player.time.remaining(now, rules)
        return Player(
            player_id=player.player_id,
            type="player",
            subscribed_to=source.endpoint_id if source else None,
            remote_address=player.peer.address,
            away=self.hub.switchboard.is_away(player.peer.key) or msgspec.UNSET,
            limit=remaining.limit.value if remaining else msgspec.UNSET,
            ends_at=round(time() + remaining.seconds, 1) if remaining else msgspec.UNSET,
            idle_seconds=round(player.time.idle(now, rules), 1) if rules.idle_seconds else msgspec.UNSET,
        )


def _source(source: Source[PeerSocket]) -> Streamer:
    return Streamer(
        streamer_id=source.endpoint_id,
        type="sfu" if source.peer.role is Role.SFU else "streamer",
        streaming=source.streaming,
        remote_address=source.peer.address,
        subscribers=list(source.subscribers),
    )
