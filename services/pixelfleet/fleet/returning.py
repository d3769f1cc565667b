"""Reads how a page returns, from the query of its request for a websocket. No I/O.

`?resume=1` is a page that can resume. With a token it returns: to its session, or to its place in the queue. A token
that is not valid is refused after the websocket is open, because a page cannot read the status of a refused request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from pixelfleet.fleet import resume, waiting
from pixelfleet.fleet.resume import ResumeToken
from pixelfleet.fleet.waiting import WaitingToken
from pixelfleet.net.request_head import query_of
from pixelfleet.service.signing import TokenError

RESUME: Final = "resume"
"""The query parameter."""

CAN_RESUME: Final = "1"
"""Its value in the request of a new player."""

KEPT: Final = "kept"
"""The query parameter of a page that cannot return with a token: its session is kept, and its router's cookie may bring
it back to that. Only matchmakers send it."""

SUBSCRIBE: Final = "subscribe"
"""The query parameter of a page that asks to be subscribed on its arrival, with the value `1`."""

PASSED_ON: Final = (RESUME, "received", "fresh", SUBSCRIBE, "OfferToReceive")
"""The query parameters that a signalling server gets from a page that returns to its session."""

MAX_PASSED_ON: Final = 64
"""The longest of their values except that of the token, in characters."""


@dataclass(frozen=True, slots=True)
class Resuming:
    """A page that returns to its session."""

    token: ResumeToken
    query: str
    """The query for the signalling server, with the token."""

    @property
    def url(self) -> str:
        """The websocket URL to dial. It contains the token."""
        return f"{self.token.url}/?{self.query}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A page that returns to its place in the queue."""

    token: WaitingToken


@dataclass(frozen=True, slots=True)
class Refused:
    """A page whose token is not valid."""

    why: str


Return = Resuming | Waiting | Refused


def can_resume(query: Mapping[str, str]) -> bool:
    """Return whether the page of a new player can resume."""
    return query.get(RESUME) == CAN_RESUME


def subscribes(query: Mapping[str, str]) -> bool:
    """Return whether the page asks to be subscribed on its arrival."""
    return query.get(SUBSCRIBE) == "1"


def resumes(query: str) -> bool:
    """Return whether the query of a request is that of a page that can resume, be it a new player or not."""
    return f"{RESUME}=" in query and RESUME in query_of(f"/?{query}")


class ReturnReader:
    """Verifies the tokens of returning pages."""

    def __init__(self, resume_key: bytes, waiting_key: bytes) -> None:
        """Without the resume key, a valid resume token is refused, too."""
        self._resume_key = resume_key
        self._waiting_key = waiting_key

    def read(self, target: str) -> Return | None:
        """Return how the page of a request target such as `/ws?resume=…` returns; None for a new player."""
        if "resume=" not in target:
            return None  # the common case
        query = query_of(target)
        token = query.get(RESUME, "")
        if token in ("", CAN_RESUME):
            return None
        try:
            return Waiting(waiting.verify(token, self._waiting_key))
        except TokenError as error:
            why = str(error)
        if self._resume_key:
            try:
                return Resuming(resume.verify(token, self._resume_key), passed_on(query))
            except TokenError as error:
                why = str(error)
        return Refused(why)


def passed_on(query: Mapping[str, str]) -> str:
    """Return the part of a returning page's query that its signalling server gets."""
    chosen = {name: query[name] for name in PASSED_ON if name in query}
    return urlencode({name: text if name == RESUME else text[:MAX_PASSED_ON] for name, text in chosen.items()})
