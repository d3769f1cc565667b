"""The connection to a router that can take its player over."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from pixelfleet.fleet import handover
from pixelfleet.fleet.handover import (
    CLAIM_HEADER,
    Answer,
    Arrived,
    ClaimReader,
    Destination,
    Handover,
    Hold,
    Relay,
)
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.websocket import WebSocket
from pixelfleet.service.signing import TokenError

log = structlog.get_logger(__name__)

ANSWER_SECONDS: Final = 8.0
"""The longest wait for the answer of a router, whose dial takes at most 3 s; a lease is valid for 10 s."""

HOLD: Final = handover.encode(Hold(trunk=True))
RELAY: Final = handover.encode(Relay())


class RouterLeg:
    """The player's socket at the matchmaker, while the router keeps the player's messages."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._answer: asyncio.Future[Answer] | None = None
        self._on_arrived: Callable[[Arrived], None] | None = None

    def hold(self, on_arrived: Callable[[Arrived], None]) -> None:
        """Have the router keep the player's messages. `on_arrived` is called when it has taken the player over."""
        self._on_arrived = on_arrived
        self._socket.on_control = self._control
        self._socket.send_control(HOLD)

    def relay(self) -> None:
        """Have the router send the player's messages from now on; it does not take the player over any more."""
        self._socket.on_control = None
        self._socket.send_control(RELAY)

    def forget(self) -> None:
        """Drop the references to the player, whose socket is closed."""
        self._on_arrived = self._socket.on_control = None

    async def hand_over(self, destination: Destination, key: bytes) -> Answer | None:
        """Have the router connect the player to a destination; return its answer, or None if it gives none in time."""
        self._answer = asyncio.get_running_loop().create_future()
        self._socket.send_control(handover.encode(Handover(handover.sign(destination, key))))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._answer
        except TimeoutError:
            return None
        finally:
            self._answer = None

    def _control(self, data: bytes) -> None:
        answer = handover.read_answer(data)
        if answer is None or self._answer is None or self._answer.done():
            return
        self._answer.set_result(answer)
        if isinstance(answer, Arrived) and self._on_arrived is not None:
            self._on_arrived(answer)  # at once: the connection may close before the waiting task continues


def takes_over(head: RequestHead, claims: ClaimReader | None, now: float) -> bool:
    """Return whether a request is from a router that can take its player over. `now` is the loop's time.

    Without a session key there is no reader of claims.
    """
    claim = head.headers.get(CLAIM_HEADER)
    return claim is not None and is_router(claim, claims, head.remote, now)


def is_router(claim: str, claims: ClaimReader | None, client: str, now: float) -> bool:
    """Return whether a claim is that of a router; `client` is its address, for the log."""
    if claims is None:
        return False
    try:
        claims.check(claim, now)
    except TokenError as error:
        log.warning("claim of a router refused; its players are relayed", client=client, why=str(error))
        return False
    return True
