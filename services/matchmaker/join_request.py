"""Reads the join request from the query of a player's URL. No I/O."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from matchmaker.legacy.server import ENDPOINT
from pixelfleet.auth.identity import Identity
from pixelfleet.fleet.model import key_of
from pixelfleet.protocol.people import Invite

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
MAX_WANTS_LENGTH: Final = 256
LEGACY_PORT: Final = 80

JoinRule = Literal["any", "session", "never"]

_SESSION_ID: Final = re.compile(r"[0-9a-f]{32}")


SPECTATOR: Final = "spectator"
PLAYER: Final = "player"
"""Roles of an identity. A spectator that is not a player, too, may only watch."""


class JoinRequestError(ValueError):
    """The query is invalid; the text gives the reason."""


class NotAllowedError(ValueError):
    """The identity may not make this request; the text gives the reason."""


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """What a player requests: an application, and a streamer or session, or labels."""

    app: str
    wants: str = ""
    may_share: bool = False
    spectator: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    invite: Invite | None = None


def join_request_of(
    query: Mapping[str, str],
    identity: Identity,
    *,
    app: str,
    labels: Collection[str],
    join: JoinRule,
    guests_take_slots: bool = False,
) -> JoinRequest:
    """Return the join request of a query. Raises JoinRequestError and NotAllowedError.

    In the query, `id` is a streamer's key or endpoint id, a session's id, or `*`; `address` is the address of a
    legacy server. `app` is the default application, `labels` the names of the labels that players may select, and
    `join` the rule for spectators. An invite alone determines application, session and role. With
    `guests_take_slots` an invited guest needs a free slot of the session's streamer.
    """
    if (invite := identity.invite) is not None:
        spectator = invite.role == SPECTATOR or not guests_take_slots
        return JoinRequest(invite.app, invite.session, may_share=spectator, spectator=spectator, invite=invite)
    app = query.get("app") or (identity.apps[0] if identity.apps else app)
    chosen = {name: query[name] for name in labels if query.get(name)}
    for name, value in [("app", app), *chosen.items()]:
        if not NAME.fullmatch(value):
            raise JoinRequestError(f"{name} is not a valid name")
    if identity.apps and app not in identity.apps:
        raise NotAllowedError("you are not allowed to use this application")
    spectator = SPECTATOR in identity.roles and PLAYER not in identity.roles
    wants = identity.wants or query.get("id", "")
    if not wants and (address := query.get("address", "")):
        wants = key_of(address if ":" in address else f"{address}:{LEGACY_PORT}", ENDPOINT)
    if len(wants) > MAX_WANTS_LENGTH or not wants.isprintable():
        raise JoinRequestError("id is not a valid id of a streamer or session")
    if spectator and not wants:
        wants = "*"
    may_share = bool(wants) and (join == "any" or (join == "session" and _SESSION_ID.fullmatch(wants) is not None))
    if spectator and not may_share:
        raise NotAllowedError("you are only allowed to watch, and this session cannot be watched")
    if wants == "*" and not may_share:
        wants = ""
    return JoinRequest(app, wants, may_share, spectator, {} if wants else chosen)
