"""The operator who makes a change, also through the router.

The router authenticates operators, and presents the REST token of the matchmaker. It states who the operator is in a
header that is signed with a key derived from the session key. A client's own header of this name is not forwarded by
the router, and has no effect at a matchmaker. No I/O.
"""

import hashlib
import hmac
from typing import Final

import msgspec
import structlog
from multidict import MultiMapping
from pydantic import SecretStr

from pixelfleet.net.access import client_address
from pixelfleet.service import signing
from pixelfleet.service.signing import TokenError

log = structlog.get_logger(__name__)

OPERATOR_HEADER: Final = "X-Pixelfleet-Operator"
"""The header with the signed operator."""

AUDIENCE: Final = "pixelfleet-operator"
LIFETIME_SECONDS: Final = 60
MAX_SUBJECT_LENGTH: Final = 200


class Operator(msgspec.Struct, frozen=True):
    """The origin of a change."""

    subject: str
    """The name of the person or client; empty if only a token was presented, or nothing."""
    method: str
    """How the operator was authenticated: `token` for the REST token, else the router's method; `none` is open."""
    address: str
    """The IP address of the client."""


def operator_key(session_key: str) -> bytes:
    """Return the key that signs operators, so that no session token, link or handover is valid as one."""
    return hmac.digest(session_key.encode(), AUDIENCE.encode(), hashlib.sha256)


class OperatorWriter:
    """Signs operators for the matchmaker; without a session key it signs none."""

    def __init__(self, session_key: SecretStr | None) -> None:
        self._key = operator_key(session_key.get_secret_value()) if session_key else None

    def headers(self, operator: Operator) -> dict[str, str]:
        """Return the header that names an operator."""
        if self._key is None:
            return {}
        claims = {
            "sub": operator.subject[:MAX_SUBJECT_LENGTH],
            "method": operator.method,
            "address": operator.address,
        }
        return {OPERATOR_HEADER: signing.sign(claims, self._key, audience=AUDIENCE, seconds=LIFETIME_SECONDS)}


class OperatorReader:
    """Reads the operator of a request that has presented the REST token."""

    def __init__(self, session_key: SecretStr | None, proxies: int) -> None:
        """`proxies` is the number of trusted entries at the end of X-Forwarded-For."""
        self._key = operator_key(session_key.get_secret_value()) if session_key else None
        self._proxies = proxies

    def read(self, remote: str, headers: MultiMapping[str]) -> Operator:
        """Return the operator that a router has signed; else only the token and the client's address are known."""
        signed = headers.get(OPERATOR_HEADER)
        if signed is not None and self._key is not None:
            try:
                claims = signing.verify(signed, self._key, audience=AUDIENCE, required=("sub", "method", "address"))
                return msgspec.convert({**claims, "subject": claims["sub"]}, Operator)
            except (TokenError, msgspec.ValidationError) as error:
                log.warning("operator header ignored", why=str(error))
        return Operator("", "token", client_address(remote, headers, self._proxies))
