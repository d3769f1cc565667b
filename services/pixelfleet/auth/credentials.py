"""What a request shows of who sends it. Nothing is believed here, and nothing that is too long is read."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from multidict import MultiMapping

from pixelfleet.net.access import bearer_token

MAX_TOKEN_LENGTH: Final = 8 * 1024
MAX_NAME_LENGTH: Final = 128
MAX_PASSWORD_LENGTH: Final = 1024

LINK: Final = "link"
"""The query parameter of a signed link."""

SUBPROTOCOL: Final = "pixelfleet"
"""What a page offers beside its token, and what is answered: a server must choose one of those that were offered."""

SUBPROTOCOL_TOKEN: Final = "bearer."  # noqa: S105 - a prefix, no secret
"""Begins the websocket subprotocol that is a token."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request shows; each part is None where it shows none of that kind."""

    user: tuple[str, str] | None = None
    """Name and password."""
    token: str | None = None
    link: str | None = None
    ambient: bool = False
    """Whether a browser adds them to any request to us, also to one that another site's page has it send."""

    @property
    def any(self) -> bool:
        """Whether anything is shown."""
        return self.user is not None or self.token is not None or self.link is not None


def credentials_of(
    headers: MultiMapping[str], cookies: Mapping[str, str], query: Mapping[str, str], cookie: str
) -> Credentials:
    """Return what a request shows. The token comes from `Authorization`, a websocket subprotocol or the named cookie.

    What is explicit wins over what a browser adds by itself.
    """
    link = _short(query.get(LINK) or None)
    header = headers.get("Authorization")
    if (user := _basic(header)) is not None:
        return Credentials(user=user, link=link, ambient=True)
    token = bearer_token(header) or _subprotocol_token(headers)
    if token is not None:
        return Credentials(token=_short(token), link=link)
    kept = cookies.get(cookie) if cookie else None
    return Credentials(token=_short(kept), link=link, ambient=bool(kept))


def offers_subprotocol(headers: MultiMapping[str]) -> bool:
    """Tell whether a websocket's request offers our subprotocol, which must then be chosen."""
    return SUBPROTOCOL in _subprotocols(headers)


def _subprotocols(headers: MultiMapping[str]) -> list[str]:
    lines = headers.getall("Sec-WebSocket-Protocol", None)
    if lines is None:  # as with most requests
        return []
    return [each.strip() for line in lines for each in line.split(",")]


def _subprotocol_token(headers: MultiMapping[str]) -> str | None:
    tokens = [each for each in _subprotocols(headers) if each.startswith(SUBPROTOCOL_TOKEN)]
    return tokens[0].removeprefix(SUBPROTOCOL_TOKEN) if tokens else None


def _basic(header: str | None) -> tuple[str, str] | None:
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic" or len(encoded) > 2 * (MAX_NAME_LENGTH + MAX_PASSWORD_LENGTH):
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, or no UTF-8 in it
        return None
    if not colon or not name or len(name) > MAX_NAME_LENGTH or len(password) > MAX_PASSWORD_LENGTH:
        return None
    return name, password


def _short(text: str | None) -> str | None:
    """Return a token, or an empty one, which proves nothing, in place of one that is too long or not ASCII."""
    return None if text is None else text if len(text) <= MAX_TOKEN_LENGTH and text.isascii() else ""
