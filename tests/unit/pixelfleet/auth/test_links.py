"""Signed links."""

import time

import jwt
import pytest

from pixelfleet.auth.identity import InvalidCredentialsError
from pixelfleet.auth.links import MAX_SECONDS, SignedLink, sign, verify
from pixelfleet.fleet.bounds import MAX_PRIORITY
from pixelfleet.fleet.tokens import SessionToken
from pixelfleet.fleet.tokens import sign as sign_session

KEY = "k" * 32


def test_a_verified_link_has_the_signed_content() -> None:
    link = verify(
        sign(SignedLink(subject="ada", app="demo", wants="s", priority=2, roles=("host",), once=True), KEY, 60), KEY
    )
    assert (link.app, link.wants, link.priority, link.once) == ("demo", "s", 2, True)
    assert link.identity.apps == ("demo",)
    assert link.identity.roles == {"host"}
    assert time.time() < link.expires <= time.time() + 61
    assert link.id


def test_each_link_has_an_id_of_its_own() -> None:
    assert verify(sign(SignedLink(), KEY, 60), KEY).id != verify(sign(SignedLink(), KEY, 60), KEY).id


@pytest.mark.parametrize("seconds", [0, -1, MAX_SECONDS + 1])
def test_the_validity_of_a_link_is_bounded(seconds: int) -> None:
    with pytest.raises(ValueError, match="is valid for"):
        sign(SignedLink(), KEY, seconds)


def test_an_expired_link_and_one_of_another_key_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = sign(SignedLink(), KEY, 5)
    with pytest.raises(InvalidCredentialsError, match="not valid"):
        verify(text, "o" * 32)
    at = time.time()
    monkeypatch.setattr(time, "time", lambda: at - 3600)
    old = sign(SignedLink(), KEY, 5)
    monkeypatch.undo()
    with pytest.raises(InvalidCredentialsError, match="expired"):
        verify(old, KEY)


def test_a_session_token_of_the_same_key_is_not_a_link() -> None:
    for audience in ("server", "pixelfleet-link"):
        text = sign_session(SessionToken("session", audience, "cam", "demo"), KEY)
        with pytest.raises(InvalidCredentialsError):
            verify(text, KEY)


@pytest.mark.parametrize("priority", [-1, MAX_PRIORITY + 1])
def test_a_priority_beyond_the_bounds_is_refused(priority: int) -> None:
    with pytest.raises(InvalidCredentialsError, match="not valid"):
        verify(sign(SignedLink(priority=priority), KEY, 60), KEY)


@pytest.mark.parametrize("text", ["", "..", "x" * 100, jwt.encode({"aud": "pixelfleet-link"}, KEY, algorithm="HS256")])
def test_an_invalid_link_is_refused(text: str) -> None:
    with pytest.raises(InvalidCredentialsError):
        verify(text, KEY)
