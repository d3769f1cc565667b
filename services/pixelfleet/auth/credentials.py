"""Extracts credentials from a request. Nothing is verified here; values over the length limits are not read."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from multidict import MultiMapping

from pixelfleet.fleet.invites import INVITE
from pixelfleet.net.access import bearer_token

MAX_TOKEN_LENGTH: Final = 8 * 1024
MAX_NAME_LENGTH: Final = 128
MAX_PASSWORD_LENGTH: Final = 1024

LINK: Final = "link"
"""The query parameter of a signed link."""

SUBPROTOCOL: Final = "pixelfleet"
"""The subprotocol that the page offers beside its token, and that the server selects in the response."""

SUBPROTOCOL_TOKEN: Final = "bearer."  # noqa: S105 - a prefix, no secret
"""Prefix of a websocket subprotocol that carries a token."""


_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""The characters of a bearer token (RFC 6750)."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of a request; each field is None when the request has none of that kind."""

    user: tuple[str, str] | None = None
    """Name and password."""
    token: str | None = None
    link: str | None = None
    invite: str | None = None
    ambient: bool = False
    """Whether browsers attach them to every request to this origin, including requests from pages of other sites."""

    @property
    def any(self) -> bool:
        """Whether the request has any credentials."""
        return self.user is not None or self.token is not None or self.link is not None or self.invite is not None


def credentials_of(
    headers: MultiMapping[str], cookies: Mapping[str, str], query: Mapping[str, str], cookie: str
) -> Credentials:
    """Return the credentials of a request.

    The token comes from `Authorization`, else from a websocket subprotocol, else from the named cookie.
    """
    link, invite = _short(query.get(LINK) or None), _short(query.get(INVITE) or None)
    header = headers.get("Authorization")
    if (user := _basic(header)) is not None:
        return Credentials(user=user, link=link, invite=invite, ambient=True)
    token = bearer_token(header) or _subprotocol_token(headers)
    if token is not None:
        return Credentials(token=_short(token), link=link, invite=invite)
    cookie_token = cookies.get(cookie) if cookie else None
    return Credentials(token=_short(cookie_token), link=link, invite=invite, ambient=bool(cookie_token))


def offers_subprotocol(headers: MultiMapping[str]) -> bool:
    """Return whether a websocket request offers SUBPROTOCOL; the response must then select it."""
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
    except ValueError:  # not base64, or not UTF-8
        return None
    if not colon or not name or len(name) > MAX_NAME_LENGTH or len(password) > MAX_PASSWORD_LENGTH:
        return None
    return name, password


def _short(text: str | None) -> str | None:
    """Return a token; one over the limit or with other characters becomes the empty one, which never verifies.

    A cookie's value may contain encoded line ends, and the token becomes a header of the next request.
    """
    return None if text is None else text if len(text) <= MAX_TOKEN_LENGTH and _TOKEN.fullmatch(text) else ""
