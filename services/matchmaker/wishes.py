"""What players request: the join request, and what is forwarded to the signalling server. No I/O."""

from functools import lru_cache
from typing import Final

import msgspec

from matchmaker.join_request import JoinRequest, join_request_of
from matchmaker.settings import Settings
from pixelfleet.auth.identity import Identity
from pixelfleet.fleet.limits import SessionLimits
from pixelfleet.fleet.returning import RESUME, SUBSCRIBE, can_resume
from pixelfleet.net.request_head import query_of

FORWARDED: Final[tuple[str, ...]] = ("OfferToReceive", RESUME, SUBSCRIBE)
"""Query parameters that are forwarded to the signalling server."""

LAUNCH: Final = "launch."
"""The beginning of the names of launch parameters, which are forwarded too; the signalling server checks them."""

MAX_LAUNCH: Final = 16
MAX_LAUNCH_NAME: Final = 64
"""Longer names, and more launch parameters of a player, are not forwarded."""

REQUESTS_REMEMBERED: Final = 256
"""Wishes in the cache: most players connect with one of a few paths, and parsing is costly."""


class Wish(msgspec.Struct, frozen=True):
    """What one player requests, or has after the admission webhook has changed it."""

    request: JoinRequest
    forwarded: dict[str, str]
    """Query parameters for the signalling server."""
    priority: int = 0
    limits: SessionLimits | None = None


class Wishes:
    """Reads the wishes of players."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.of = lru_cache(REQUESTS_REMEMBERED)(self._of)
        """Returns the wish of a target and an identity. Raises JoinRequestError or NotAllowedError."""

    def _of(self, target: str, identity: Identity) -> Wish:
        query = query_of(target)
        settings = self._settings
        join_request = join_request_of(query, identity, **settings.join_rules)
        launch = [name for name in query if name.startswith(LAUNCH) and len(name) <= MAX_LAUNCH_NAME][:MAX_LAUNCH]
        forwarded = {name: query[name][:64] for name in (*FORWARDED, *launch) if name in query}
        if not can_resume(query):
            forwarded.pop(RESUME, None)
            forwarded.pop(SUBSCRIBE, None)
        return Wish(join_request, forwarded, identity.priority or 0)
