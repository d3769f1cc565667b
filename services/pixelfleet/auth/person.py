"""The person behind a player, as far as a request shows it: an operator's kick applies to a person, not to a session.

An authenticated player is known by its subject or link. Any other player is known by a random cookie of the router's
page, which lasts until the browser closes. A player that deletes the cookie is a new person.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from multidict import MultiMapping

from pixelfleet.auth.identity import Identity

PLAYER_COOKIE: Final = "pixelfleet_player"
PLAYER_HEADER: Final = "X-Pixelfleet-Player"
"""The router forwards the cookie's value to the matchmaker in this header."""

CLIENTS_REMEMBERED: Final = 4096
"""The size of the cache of digests."""

_ISSUED: Final[Mapping[str, str]] = {"oidc": "jwt"}
"""A subject of the issuer is one person, whether its browser signed in or it presents a token of the issuer."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")


def new_player_id() -> str:
    """Return a random value for the cookie."""
    return secrets.token_urlsafe(16)


def player_id(value: str | None) -> str:
    """Return the value of the cookie or header; empty if it has none or not this form."""
    return value if value is not None and _ID.fullmatch(value) else ""


def cookie_player_id(headers: MultiMapping[str], cookies: Mapping[str, str]) -> str:
    """Return the value of the cookie of a request; `cookies` is only used if the headers have cookies."""
    return player_id(cookies.get(PLAYER_COOKIE)) if PLAYER_COOKIE in headers.get("Cookie", "") else ""


@lru_cache(CLIENTS_REMEMBERED)
def client_digest(client: str) -> str:
    """Return a digest that names a client (`limits.client_key`) in the fleet store; empty for an empty one."""
    return hashlib.sha256(f"client:{client}".encode("utf-8", "surrogateescape")).hexdigest()[:16] if client else ""


def is_by_cookie(identity: Identity) -> bool:
    """Return whether a known person is known by the cookie of its browser, and not by a login or a link."""
    return not identity.link_id and not identity.subject


def person_of(identity: Identity, headers: MultiMapping[str]) -> str:
    """Return a digest that names the person in the fleet store; empty for an unknown one."""
    if identity.link_id:
        name = f"link:{identity.link_id}"
    elif identity.subject:
        name = f"{_ISSUED.get(identity.method, identity.method)}:{identity.subject}"
    elif value := player_id(headers.get(PLAYER_HEADER)):
        name = f"cookie:{value}"
    else:
        return ""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:32]
