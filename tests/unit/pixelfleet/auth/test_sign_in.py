"""The signed content of the cookie of a sign-in."""

import time

import pytest

from pixelfleet.auth import sign_in
from pixelfleet.auth.identity import Identity, InvalidCredentialsError
from pixelfleet.auth.sign_in import SignIn, SignInTooLongError, sign_in_of
from pixelfleet.fleet import tokens
from pixelfleet.service import signing

KEY = sign_in.sign_in_key("k" * 32)
ADA = SignIn(subject="ada", name="Ada", roles=("player",), apps=("city",), priority=3, tenant="acme", minutes=60)


def test_a_sign_in_is_read_back_as_an_identity() -> None:
    found = sign_in.verify(sign_in.sign(ADA, KEY, 60), KEY)
    assert found == ADA
    assert sign_in_of(ADA.identity, "Ada") == ADA
    assert ADA.identity.method == "oidc"


def test_an_expired_one_has_a_reason_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now - 200)
        text = sign_in.sign(ADA, KEY, 60)
    with pytest.raises(InvalidCredentialsError, match="the sign-in has expired"):
        sign_in.verify(text, KEY)


def test_tokens_of_other_keys_and_kinds_are_none() -> None:
    session = tokens.SessionToken("s", sign_in.AUDIENCE, "cam", "city")
    for text in (
        "",
        "x.y.z",
        sign_in.sign(ADA, sign_in.sign_in_key("another" * 8), 60),
        tokens.sign(session, "k" * 32),
        signing.sign({"subject": ""}, KEY, audience=sign_in.AUDIENCE, seconds=60),
        signing.sign({"subject": "ada", "priority": 99}, KEY, audience=sign_in.AUDIENCE, seconds=60),
        signing.sign({"subject": 7}, KEY, audience=sign_in.AUDIENCE, seconds=60),
    ):
        assert sign_in.verify(text, KEY) is None


def test_what_does_not_fit_into_a_cookie_is_refused() -> None:
    many = Identity(subject="ada", apps=tuple(f"{number:0128}" for number in range(64)))
    with pytest.raises(SignInTooLongError):
        sign_in.sign(sign_in_of(many, ""), KEY, 60)
