"""Signed tokens."""

import time
from typing import Any

import jwt
import pytest

from pixelfleet.service.keys import MIN_KEY_BYTES
from pixelfleet.service.signing import (
    ALGORITHM,
    ALWAYS_REQUIRED,
    ISSUER,
    LEEWAY_SECONDS,
    TokenError,
    TokenExpiredError,
    sign,
    verify,
)

KEY = "k" * MIN_KEY_BYTES


def claims(**changes: object) -> dict[str, Any]:
    now = int(time.time())
    return {"iss": ISSUER, "aud": "server", "iat": now, "exp": now + 60, "app": "demo"} | changes


def signed(payload: dict[str, Any], key: str = KEY, algorithm: str = ALGORITHM) -> str:
    return jwt.encode(payload, key, algorithm=algorithm)


def test_a_token_is_valid_for_its_audience_and_key_only() -> None:
    text = sign({"app": "demo"}, KEY, audience="server", seconds=60)
    payload = verify(text, KEY, audience="server", required=("app",))
    assert payload["app"] == "demo"
    assert payload["exp"] - payload["iat"] == 60
    with pytest.raises(TokenError):
        verify(text, KEY, audience="other")
    with pytest.raises(TokenError):
        verify(text, "o" * MIN_KEY_BYTES, audience="server")


@pytest.mark.parametrize("name", [*ALWAYS_REQUIRED, "app"])
def test_a_required_claim_must_be_present(name: str) -> None:
    text = signed({claim: value for claim, value in claims().items() if claim != name})
    with pytest.raises(TokenError):
        verify(text, KEY, audience="server", required=("app",))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"exp": int(time.time()) - LEEWAY_SECONDS - 60}, TokenExpiredError),
        ({"iss": "other"}, TokenError),
    ],
)
def test_time_and_issuer_are_checked(changes: dict[str, Any], error: type[TokenError]) -> None:
    with pytest.raises(error) as refused:
        verify(signed(claims(**changes)), KEY, audience="server")
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(("algorithm", "key"), [("none", ""), ("HS384", "k" * 48)])
@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
def test_other_algorithms_are_refused(algorithm: str, key: str) -> None:
    with pytest.raises(TokenError):
        verify(signed(claims(), key, algorithm), KEY, audience="server")


def test_clocks_may_differ_a_little() -> None:
    text = signed(claims(iat=int(time.time()) + LEEWAY_SECONDS // 2, exp=int(time.time()) + 60))
    assert verify(text, KEY, audience="server")["app"] == "demo"
