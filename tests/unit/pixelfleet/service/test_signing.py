"""Signed tokens."""

import time
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, None),
        ({"aud": ["other", "server"]}, None),
        ({"aud": ["other"]}, TokenError),
        ({"aud": 7}, TokenError),
        ({"nbf": LEEWAY_SECONDS // 2}, None),
        ({"nbf": LEEWAY_SECONDS + 60}, TokenError),
        ({"nbf": "soon"}, TokenError),
        ({"exp": "late"}, TokenError),
        ({"exp": -LEEWAY_SECONDS // 2}, None),
    ],
)
def test_tokens_of_another_implementation_have_the_same_rules(
    changes: dict[str, Any], error: type[TokenError] | None
) -> None:
    now = int(time.time())  # numbers of these two are relative
    changes = changes | {name: now + changes[name] for name in ("nbf", "exp") if isinstance(changes.get(name), int)}
    text = jwt.encode(claims(**changes), KEY, ALGORITHM, headers={"kid": "1"})
    if error is None:
        assert verify(text, KEY, audience="server")["app"] == "demo"
    else:
        with pytest.raises(error):
            verify(text, KEY, audience="server")


def test_another_implementation_accepts_our_tokens() -> None:
    text = sign({"app": "demo"}, KEY, audience="server", seconds=60)
    assert jwt.decode(text, KEY, [ALGORITHM], audience="server", issuer=ISSUER)["app"] == "demo"


@settings(deadline=None)
@given(position=st.integers(0), character=st.characters())
def test_a_changed_character_is_noticed(position: int, character: str) -> None:
    text = sign({"app": "demo"}, KEY, audience="server", seconds=60)
    position %= len(text)
    changed = text[:position] + character + text[position + 1 :]
    if changed != text:
        with pytest.raises(TokenError):
            verify(changed, KEY, audience="server")


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "\udcff.\udcff.\udcff", "\u00e9" * 40])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(TokenError):
        verify(text, KEY, audience="server")


@pytest.mark.parametrize("body", ["[]", "7", "{", ""])
def test_the_content_must_be_an_object(body: str) -> None:
    with pytest.raises(TokenError):
        verify(jwt.PyJWS().encode(body.encode(), KEY, ALGORITHM), KEY, audience="server")
