"""How a player's connection ended, and the close code with which a service passes that on to the next one. No I/O.

A router closes its connection to the matchmaker or the signalling server after its player's, and so does a matchmaker
that relays. The code is the player's own, if it is of the catalogue, or one that stands for how the player ended. Only
services send the latter. A client that sends one to a service of its own accord changes nothing but its own ending.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode


class Ending(StrEnum):
    """How a player's connection ended. The values are labels of metrics and fields of logs."""

    LEFT = "left"
    """The page closed it, or a service did for good: the player does not come back to its session."""
    CLOSED = "closed"
    """The browser closed it: the tab was closed, loaded again, navigated or crashed. The player may come back."""
    LOST = "lost"
    """It was cut without a close frame, or the service that held it stops: the player may still be there."""
    TIMED_OUT = "timed_out"
    """The player did not answer a ping: the network may be down, or the player's computer asleep."""


GOING_AWAY: Final = 1001
SERVICE_RESTART: Final = 1012

_ENDINGS: Final[Mapping[int, Ending]] = {
    GOING_AWAY: Ending.CLOSED,
    close_codes.PLAYER_CLOSED.code: Ending.CLOSED,
    close_codes.ABNORMAL: Ending.LOST,
    SERVICE_RESTART: Ending.LOST,
    close_codes.SLOW_CONSUMER.code: Ending.LOST,
    close_codes.RESTARTING.code: Ending.LOST,
    close_codes.PLAYER_LOST.code: Ending.LOST,
    close_codes.CONTINUED_ELSEWHERE.code: Ending.LOST,  # the page has returned: its session must not end
    close_codes.PONG_TIMEOUT.code: Ending.TIMED_OUT,
    close_codes.PLAYER_TIMED_OUT.code: Ending.TIMED_OUT,
}
"""The endings of all close codes that are not LEFT."""

_PASSED_ON: Final[Mapping[Ending, CloseCode]] = {
    Ending.CLOSED: close_codes.PLAYER_CLOSED,
    Ending.LOST: close_codes.PLAYER_LOST,
    Ending.TIMED_OUT: close_codes.PLAYER_TIMED_OUT,
}


def ending_of(code: int) -> Ending:
    """Return how a player's connection ended: with this close code of either side, or 1006 without a close frame.

    The player's socket and the connection of a service that passes its end on have the same result.
    """
    return _ENDINGS.get(code, Ending.LEFT)


def passed_on(code: int, reason: str = "") -> CloseCode:
    """Return the code with which to close the next service's connection of a player that ended with `code`.

    A player that has left with a code of the catalogue is passed on with that and its reason.
    """
    ending = ending_of(code)
    if ending is not Ending.LEFT:
        return _PASSED_ON[ending]
    known = close_codes.find(code)
    if known is None or code < close_codes.FIRST_PRIVATE:
        return close_codes.NORMAL
    return replace(known, reason=reason) if reason else known
