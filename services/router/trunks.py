"""The trunks to matchmakers: one connection to each carries the players that wait at it."""

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog

from pixelfleet.fleet.trunks import TRUNK_HEADER, TRUNK_TARGET
from pixelfleet.net.damping import RELAYED_HEADER
from pixelfleet.net.dial import DialError, dial
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.trunk.connection import DialledTrunk, trunk_bounds
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.service.lifecycle import Tasks
from pixelfleet.service.logs import REQUEST
from router.handover import Offers
from router.upstreams.matchmakers import Matchmakers
from router.upstreams.pool import Target

log = structlog.get_logger(__name__)

PAUSE_SECONDS: Final = 60.0
"""How long players have connections of their own after a matchmaker has relayed one: a relayed player stays with its
matchmaker, and its messages would pay for the frames of a trunk."""

RETRY_SECONDS: Final = 5.0
"""The same after a trunk could not be opened or was lost."""


@dataclass(slots=True, eq=False)
class _State:
    """The trunk to one matchmaker, or when the next one may be dialled."""

    trunk: DialledTrunk | None = None
    dialling: bool = False
    not_before: float = float("-inf")
    """On the loop's clock."""


class Trunks:
    """The trunks of one router."""

    def __init__(
        self, matchmakers: Matchmakers, offers: Offers, tasks: Tasks, heartbeat: Heartbeat, dial_seconds: float
    ) -> None:
        self._matchmakers = matchmakers
        self._offers = offers
        self._tasks = tasks
        self._heartbeat = heartbeat
        self._bounds = trunk_bounds(dial_seconds)
        self._states: dict[Target, _State] = {}
        self._open: set[DialledTrunk] = set()
        """All trunks, also those that take no new players."""
        self._now = asyncio.get_running_loop().time

    def __len__(self) -> int:
        """The number of trunks that take new players."""
        return sum(state.trunk is not None for state in self._states.values())

    def of(self, target: Target) -> DialledTrunk | None:
        """Return the trunk for a new player of a matchmaker, or None if the player needs a connection of its own."""
        state = self._states.get(target)
        if state is None or state.trunk is None or not state.trunk.has_room:
            return None
        return state.trunk

    def offered(self, target: Target) -> None:
        """Dial a trunk to a matchmaker that has offered one, unless there is one."""
        state, now = self._states.setdefault(target, _State()), self._now()
        if state.trunk is not None or state.dialling or now < state.not_before:
            return
        if claim := self._offers.claim(now):
            state.dialling = True
            self._tasks.spawn(self._dial(target, state, claim))

    def avoid(self, target: Target, until: float) -> None:
        """Give new players of a matchmaker connections of their own until a time on the loop's clock.

        The present trunk is closed once its players have left it.
        """
        state = self._states.setdefault(target, _State())
        state.not_before = max(state.not_before, until)
        trunk, state.trunk = state.trunk, None
        if trunk is not None:
            trunk.retire()

    def close(self) -> None:
        """Close all trunks."""
        for trunk in list(self._open):
            trunk.close(close_codes.NORMAL)

    async def _dial(self, target: Target, state: _State, claim: str) -> None:
        REQUEST.set("")  # the trunk belongs to no request, although that of a player is the occasion
        try:
            await dial(
                target.ws_url + TRUNK_TARGET,
                lambda socket: self._opened(target, state, socket),
                self._bounds,
                headers={TRUNK_HEADER: claim, RELAYED_HEADER: "1"},
                tls=self._matchmakers.tls,
                address=target.address,
            )
        except DialError as error:
            state.not_before = self._now() + RETRY_SECONDS
            log.warning("trunk refused", url=target.url, address=target.address, why=str(error))
        finally:
            state.dialling = False
            self._forget_removed()

    def _opened(self, target: Target, state: _State, socket: WebSocket) -> MessageHandler:
        def closed(code: int, reason: str) -> None:
            self._open.discard(trunk)
            if state.trunk is trunk:
                state.trunk, state.not_before = None, self._now() + RETRY_SECONDS
            log.info("trunk closed", url=target.url, address=target.address, code=code, reason=reason)

        trunk = state.trunk = DialledTrunk(socket, closed)
        self._open.add(trunk)
        self._heartbeat.add(socket)
        log.info("trunk opened", url=target.url, address=target.address)
        return trunk

    def _forget_removed(self) -> None:
        """Forget matchmakers whose addresses are no longer known and that have no trunk."""
        known = set(self._matchmakers.pool.targets())
        self._states = {
            target: state
            for target, state in self._states.items()
            if target in known or state.trunk is not None or state.dialling
        }
