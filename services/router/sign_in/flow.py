"""One sign-in on its way to the issuer and back. No I/O.

The browser has a random id in a signed cookie. State, nonce and PKCE verifier are digests of that id under a key of the
router, so that any replica can finish what another one began, and nothing in the browser reveals them.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from multidict import MultiMapping

from pixelfleet.service import signing
from router.proxy.rules import BadTargetError, checked_target
from router.sign_in.problems import Problem, SignInFailedError

AUDIENCE: Final = "pixelfleet-sign-in-flow"
COOKIE: Final = "pixelfleet_sign_in_flow"

SECONDS: Final = 600
"""A person has this time at the issuer."""

_challenge_of: Final[Callable[[str], str]] = create_s256_code_challenge

MAX_BACK_LENGTH: Final = 2048
MAX_CODE_LENGTH: Final = 4096


class Flow(msgspec.Struct, frozen=True):
    """What the router remembers in the browser while it is at the issuer."""

    id: str
    back: str
    """The path on this router, with its query, to which the browser returns."""

    def digest(self, purpose: str, key: bytes) -> str:
        """Return the value of one purpose, 43 characters of base64url."""
        digest = hmac.digest(key, f"{purpose}:{self.id}".encode(), hashlib.sha256)
        return urlsafe_b64encode(digest).rstrip(b"=").decode()

    def state(self, key: bytes) -> str:
        """Return the value that binds the answer of the issuer to this browser."""
        return self.digest("state", key)

    def nonce(self, key: bytes) -> str:
        """Return the value that binds the ID token to this browser."""
        return self.digest("nonce", key)

    def verifier(self, key: bytes) -> str:
        """Return the PKCE verifier, which only the router knows until it redeems the code."""
        return self.digest("verifier", key)


def begin(back: str) -> Flow:
    """Return a new flow that returns to a path which `back_path` has checked."""
    return Flow(secrets.token_urlsafe(16), back)


def sign(flow: Flow, key: bytes) -> str:
    """Return the value of the cookie."""
    return signing.sign(msgspec.to_builtins(flow), key, audience=AUDIENCE, seconds=SECONDS)


def read(text: str | None, key: bytes) -> Flow:
    """Return the flow of a cookie; raise SignInFailedError without a valid one."""
    try:
        return msgspec.convert(signing.verify(text or "", key, audience=AUDIENCE, required=("id", "back")), Flow)
    except signing.TokenExpiredError:
        raise SignInFailedError(Problem.EXPIRED, "the flow has expired") from None
    except (signing.TokenError, msgspec.ValidationError):
        raise SignInFailedError(Problem.COOKIE, "no valid cookie of a flow") from None


def flow_key(session_key: str) -> bytes:
    """Return the key of flows, which nothing else is signed with."""
    return hmac.digest(session_key.encode(), AUDIENCE.encode(), hashlib.sha256)


def back_path(wanted: str, prefix: str) -> str:
    """Return the path of this router to return to; the player page for one that is invalid or elsewhere."""
    home = f"{prefix}/"
    try:
        if len(wanted) > MAX_BACK_LENGTH or not wanted.startswith(home):
            return home
        path, _ = checked_target(wanted)
    except BadTargetError:
        return home
    return home if path.startswith(f"{home}sign-in") else wanted


def authorization_url(
    endpoint: str, flow: Flow, key: bytes, *, client_id: str, callback: str, scopes: list[str], again: bool
) -> str:
    """Return the URL of the issuer's page; `again` asks for another sign-in by a person that is signed in."""
    url: str = prepare_grant_uri(
        endpoint,
        client_id,
        "code",
        redirect_uri=callback,
        scope=" ".join(scopes),
        state=flow.state(key),
        nonce=flow.nonce(key),
        code_challenge=_challenge_of(flow.verifier(key)),
        code_challenge_method="S256",
        prompt="login" if again else None,
    )
    return url


def code_of(query: MultiMapping[str], flow: Flow, key: bytes, *, issuer: str, names_issuer: bool) -> str:
    """Return the code of the issuer's answer; raise SignInFailedError for an answer that is not the one to this flow.

    With `names_issuer` the answer must name the issuer (RFC 9207): the browser may return from another one, to which
    an attacker would have the code sent.
    """
    answer = _single_values(query)
    if not hmac.compare_digest(answer.get("state", "").encode(), flow.state(key).encode()):
        raise SignInFailedError(Problem.COOKIE, "the state is not that of this browser")
    if answer.get("iss", "" if names_issuer else issuer) != issuer:
        raise SignInFailedError(Problem.ANSWER, "the answer is from another issuer")
    if "error" in answer:
        refused = answer["error"] in ("access_denied", "login_required", "interaction_required", "consent_required")
        problem = Problem.REFUSED if refused else Problem.ANSWER
        raise SignInFailedError(problem, f"the issuer answers {answer['error'][:64]!r}")
    code = answer.get("code", "")
    if not 0 < len(code) <= MAX_CODE_LENGTH:
        raise SignInFailedError(Problem.ANSWER, "the answer has no code")
    return code


def _single_values(query: MultiMapping[str]) -> Mapping[str, str]:
    """Return the parameters of an answer; a repeated one could be read differently elsewhere."""
    if len(set(query)) != len(query):
        raise SignInFailedError(Problem.ANSWER, "the answer repeats a parameter")
    return dict(query.items())
