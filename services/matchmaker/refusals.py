"""The close codes of tickets that the store refuses."""

from collections.abc import Mapping
from typing import Final

from pixelfleet.fleet.store import NoMinutesError, NothingServesError, TicketRefusedError, TooManySessionsError
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode

_CODES: Final[Mapping[type[TicketRefusedError], CloseCode]] = {
    NothingServesError: close_codes.NOT_FOUND,
    TooManySessionsError: close_codes.TOO_MANY_SESSIONS,
    NoMinutesError: close_codes.NO_MINUTES,
}


def close_code_of(error: TicketRefusedError) -> CloseCode:
    """Return the close code of a refusal; any that is not listed is a lack of room."""
    return _CODES.get(type(error), close_codes.FULL)
