"""What a player asks for in the query of its URL."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from matchmaker.legacy.server import ENDPOINT
from pixelfleet.auth.identity import Identity
from pixelfleet.fleet.model import key_of

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
MAX_WANTS_LENGTH: Final = 256
LEGACY_PORT: Final = 80

JoinRule = Literal["any", "session", "never"]

_SESSION_ID: Final = re.compile(r"[0-9a-f]{32}")


SPECTATOR: Final = "spectator"
PLAYER: Final = "player"
"""The roles that a claim, a link or a line of htpasswd may give: who has the first and not the second only looks on."""


class JoinRequestError(ValueError):
    """What is asked for cannot be; the text says what."""


class NotAllowedError(ValueError):
    """Who asks may not have it; the text says what."""


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A player's choice."""

    app: str
    wants: str = ""
    may_share: bool = False
    spectator: bool = False
    labels: dict[str, str] = field(default_factory=dict)


def join_request_of(
    query: Mapping[str, str], identity: Identity, *, app: str, labels: Collection[str], join: JoinRule
) -> JoinRequest:
    """Return what a query asks for, as far as who asks may choose; raise JoinRequestError or NotAllowedError.

    `id` is a streamer's key or endpoint id, a session's id, or `*`; `address` is the same for a stock server's
    address. `labels` are the names of labels that may be chosen; `join` is who may look on.
    """
    app = query.get("app") or (identity.apps[0] if identity.apps else app)
    chosen = {name: query[name] for name in labels if query.get(name)}
    for name, value in [("app", app), *chosen.items()]:
        if not NAME.fullmatch(value):
            raise JoinRequestError(f"{name} is not a name")
    if identity.apps and app not in identity.apps:
        raise NotAllowedError("you may not have this app")
    spectator = SPECTATOR in identity.roles and PLAYER not in identity.roles
    wants = identity.wants or query.get("id", "")
    if not wants and (address := query.get("address", "")):
        wants = key_of(address if ":" in address else f"{address}:{LEGACY_PORT}", ENDPOINT)
    if len(wants) > MAX_WANTS_LENGTH or not wants.isprintable():
        raise JoinRequestError("id is not the name of a streamer")
    if spectator and not wants:
        wants = "*"
    shares = bool(wants) and (join == "any" or (join == "session" and _SESSION_ID.fullmatch(wants) is not None))
    if spectator and not shares:
        raise NotAllowedError("you may only look on, and not at this")
    if wants == "*" and not shares:
        wants = ""
    return JoinRequest(app, wants, shares, spectator, {} if wants else chosen)
