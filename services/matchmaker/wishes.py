"""What a player asks for in the query of its URL."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
MAX_WANTS_LENGTH: Final = 256
STOCK_PORT: Final = 80

JoinRule = Literal["any", "session", "never"]

_SESSION_ID: Final = re.compile(r"[0-9a-f]{32}")


class WishError(ValueError):
    """What is asked for cannot be; the text says what."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A player's choice."""

    app: str
    wants: str = ""
    may_share: bool = False
    labels: dict[str, str] = field(default_factory=dict)


def wish_of(query: Mapping[str, str], *, app: str, labels: Collection[str], join: JoinRule) -> Wish:
    """Return what a query asks for; raise WishError.

    `id` is a streamer's key or endpoint id, a session's id, or `*`; `address` is the same for a stock server's
    address. `labels` are the names of labels that may be chosen; `join` is who may look on.
    """
    chosen = {name: query[name] for name in labels if query.get(name)}
    for name, value in [("app", query.get("app") or app), *chosen.items()]:
        if not NAME.fullmatch(value):
            raise WishError(f"{name} is not a name")
    wants = query.get("id", "")
    if not wants and (address := query.get("address", "")):
        wants = f"{address if ':' in address else f'{address}:{STOCK_PORT}'}/stock"
    if len(wants) > MAX_WANTS_LENGTH or not wants.isprintable():
        raise WishError("id is not the name of a streamer")
    shares = bool(wants) and (join == "any" or (join == "session" and _SESSION_ID.fullmatch(wants) is not None))
    if wants == "*" and not shares:
        wants = ""
    return Wish(query.get("app") or app, wants, shares, {} if wants else chosen)
