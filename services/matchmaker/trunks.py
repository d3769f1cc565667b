"""The trunks of routers: each carries the connections of a router's players."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextvars import copy_context
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import structlog
from multidict import CIMultiDict, CIMultiDictProxy

from matchmaker.players import Players
from matchmaker.router_leg import is_router
from pixelfleet.fleet.trunks import MAX_REASON_LENGTH, TRUNK_HEADER
from pixelfleet.net.handshake import Accepted, Admit, Decision
from pixelfleet.net.header_values import check_headers
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.http import json_refusal
from pixelfleet.net.refusal import Refusal, refusal
from pixelfleet.net.request_head import RequestHead, is_target
from pixelfleet.net.trunk.connection import AcceptedTrunk, trunk_bounds
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes

log = structlog.get_logger(__name__)

FORWARDED_FOR: Final = "X-Forwarded-For"


class Trunks:
    """The trunks of one replica."""

    def __init__(self, players: Players, admit: Admit, heartbeat: Heartbeat) -> None:
        """`admit` decides on players, on a connection of their own as on a trunk."""
        self._players = players
        self._admit = admit
        self._heartbeat = heartbeat
        self._bounds = trunk_bounds(players.bounds.handshake_seconds)
        self._open: set[AcceptedTrunk] = set()
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, head: RequestHead) -> Decision | Coroutine[Any, Any, Decision]:
        """Decide on a request for a websocket: of a router for a trunk, or of a player."""
        claim = head.headers.get(TRUNK_HEADER)
        if claim is None:
            return self._admit(head)
        if self._players.closing:
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "shutting down")
        if not is_router(claim, self._players.claims, head.remote, self._loop.time()):
            return refusal(HTTPStatus.FORBIDDEN, "only a router may open a trunk")
        return Accepted(WebSocket(self._bounds, partial(self._opened, head)))

    def close(self) -> None:
        """Close all trunks, after all that was sent to their players."""
        for trunk in list(self._open):
            trunk.close(close_codes.RESTARTING)

    def _opened(self, head: RequestHead, socket: WebSocket) -> MessageHandler:
        def closed(code: int, reason: str) -> None:
            self._open.discard(trunk)
            log.info("trunk closed", address=head.remote, code=code, reason=reason)

        def decide(number: int, target: str, headers: Mapping[str, str]) -> Callable[[], object] | None:
            return self._decide(trunk, number, _head_of(head, target, headers))

        trunk = AcceptedTrunk(socket, closed, decide)
        self._open.add(trunk)
        self._heartbeat.add(socket)
        log.info("trunk opened", address=head.remote)
        return trunk

    def _decide(self, trunk: AcceptedTrunk, number: int, head: RequestHead | None) -> Callable[[], object] | None:
        """Decide on a player; return a function that cancels the decision if it takes time."""
        if head is None:
            trunk.refuse(number, HTTPStatus.BAD_REQUEST, "the request is not valid")
            return None
        try:
            decision = copy_context().run(self._admit, head)  # context variables are set per request
        except Exception as error:  # a bug must not end the trunk
            decision = json_refusal(error, head)
        if isinstance(decision, Decision):
            self._answer(trunk, number, decision)
            return None
        task = self._loop.create_task(decision)
        task.add_done_callback(partial(self._decided, trunk, number, head))
        return task.cancel

    def _decided(self, trunk: AcceptedTrunk, number: int, head: RequestHead, task: asyncio.Task[Decision]) -> None:
        if task.cancelled():
            return
        try:
            decision = task.result()
        except Exception as error:
            decision = json_refusal(error, head)
        self._answer(trunk, number, decision)

    def _answer(self, trunk: AcceptedTrunk, number: int, decision: Decision) -> None:
        if isinstance(decision, Refusal):
            trunk.refuse(number, decision.status, decision.body.decode("utf-8", "replace")[:MAX_REASON_LENGTH])
        else:
            assert isinstance(decision.listener, WebSocket)
            trunk.accept(number, decision.listener, self._players.bounds.message_bytes)


def _head_of(trunk: RequestHead, target: str, headers: Mapping[str, str]) -> RequestHead | None:
    """Return the head of a player's request on a trunk, as it would arrive from its router; None for an invalid one.

    Proxies between the router and this replica have appended to `X-Forwarded-For` of the request for the trunk only.
    """
    try:
        check_headers(headers)
    except ValueError:
        return None
    if not is_target(target):
        return None
    received = CIMultiDict(headers)
    for hops in trunk.headers.getall(FORWARDED_FOR, ()):
        received.add(FORWARDED_FOR, hops)
    return RequestHead("GET", target, CIMultiDictProxy(received), trunk.remote, trunk.scheme)
