"""Verification of an issuer's tokens: valid ones and invalid ones."""

import base64
import hashlib
import hmac
import time

import jwt
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.auth.claims import ClaimRules
from pixelfleet.auth.identity import AuthBackendError, InvalidCredentialsError
from pixelfleet.auth.jwks import KeySet
from pixelfleet.auth.oidc import Tokens
from tests.unit.pixelfleet.auth import keys

NOW = int(time.time())


def tokens(*, unreachable: bool = False) -> Tokens:
    async def fetch(url: str) -> bytes:
        assert url == "http://issuer.test/keys", "a token must not choose the address of its key"
        if unreachable:
            raise AuthBackendError("the issuer is unreachable")
        return keys.jwks("one", "two")

    key_set = KeySet(keys.ISSUER, "http://issuer.test/keys", fetch, time.monotonic)
    return Tokens(keys.ISSUER, [keys.AUDIENCE, "other"], key_set, ClaimRules(required={"sub": None}), 10)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def signed_with_the_public_key() -> str:
    """Return a token that verifies only where the token chooses the algorithm."""
    body = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(keys.claims())}"
    mac = hmac.digest(keys.public_pem(), body.encode(), hashlib.sha256)
    return f"{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


WRONG = {
    "alg none": f"{part({'alg': 'none', 'kid': 'one'})}.{part(keys.claims())}.",
    "alg None": f"{part({'alg': 'None', 'kid': 'one'})}.{part(keys.claims())}.",
    "no alg": f"{part({'kid': 'one'})}.{part(keys.claims())}.",
    "another's key": keys.token(key=keys.private_key("stranger")),
    "key of another id": keys.token(key=keys.private_key("two")),
    "unknown key": keys.token(kid="stranger"),
    "key confusion": signed_with_the_public_key(),
    "key at an address": jwt.encode(
        keys.claims(),
        keys.private_key("stranger"),
        algorithm="RS256",
        headers={
            "kid": "evil",
            "jku": "http://evil.test/keys",
            "x5u": "http://evil.test/x",
            "jwk": keys.jwk("stranger"),
        },
    ),
    "key within": jwt.encode(
        keys.claims(), keys.private_key("stranger"), algorithm="RS256", headers={"jwk": keys.jwk("stranger")}
    ),
    "critical": jwt.encode(
        keys.claims(), keys.private_key("one"), algorithm="RS256", headers={"kid": "one", "crit": ["x"], "x": 1}
    ),
    "key id of another kind": f"{part({'alg': 'RS256', 'kid': ['one']})}.{part(keys.claims())}.x",
    "nested without end": f"{part({'alg': 'RS256', 'kid': 'one'})}.{'W1tb' * 2000}.x",
    "head without end": f"{'W1tb' * 2000}.e30.x",
    "symmetric": keys.token(key="x" * 64, algorithm="HS256"),
    "expired": keys.token(keys.claims(exp=NOW - 60)),
    "not yet": keys.token(keys.claims(nbf=NOW + 86_400)),
    "made in the future": keys.token(keys.claims(iat=NOW + 86_400)),
    "audience": keys.token(keys.claims(aud="somebody-else")),
    "audiences": keys.token(keys.claims(aud=["a", "b"])),
    "issuer": keys.token(keys.claims(iss="http://other.test")),
    "no exp": keys.token({name: value for name, value in keys.claims().items() if name != "exp"}),
    "no aud": keys.token({name: value for name, value in keys.claims().items() if name != "aud"}),
    "no iss": keys.token({name: value for name, value in keys.claims().items() if name != "iss"}),
    "no sub": keys.token({name: value for name, value in keys.claims().items() if name != "sub"}),
    "half a character": keys.token(keys.claims(sub="ada\ud800")),
    "half a character within": keys.token(keys.claims(realm_access={"roles": ["\udfff"]})),
    "exp is text": f"{part({'alg': 'RS256', 'kid': 'one'})}.{part(keys.claims(exp='tomorrow'))}.AAAA",
    "cut": keys.token()[:-8],
    "empty": "",
    "dots": "..",
    "no text": "\ud800.\udfff.x",
    "kid is a list": f"{part({'alg': 'RS256', 'kid': ['one']})}.{part(keys.claims())}.AAAA",
}


@pytest.mark.parametrize("name", WRONG)
async def test_an_invalid_token_is_refused(name: str) -> None:
    with pytest.raises(InvalidCredentialsError) as error:
        await tokens().check(WRONG[name])
    for word in ("somebody-else", "other.test", "stranger", "ada"):
        assert word not in str(error.value)


async def test_a_valid_token_gives_an_identity() -> None:
    assert (await tokens().check(keys.token())).subject == "ada"
    assert (await tokens().check(keys.token(keys.claims(aud=["x", "other"])))).method == "jwt"


async def test_clocks_may_differ_a_little() -> None:
    now = int(time.time())
    await tokens().check(keys.token(keys.claims(exp=now - 2, nbf=now + 2)))


async def test_an_unreachable_issuer_is_a_backend_error() -> None:
    async def unreachable(url: str) -> bytes:
        raise AuthBackendError("unreachable")

    checked = Tokens(
        keys.ISSUER, [keys.AUDIENCE], KeySet(keys.ISSUER, "http://x", unreachable, time.monotonic), ClaimRules(), 0
    )
    with pytest.raises(AuthBackendError):
        await checked.check(keys.token())


@given(st.text(max_size=80) | st.builds(lambda a, b, c: f"{a}.{b}.{c}", *[st.text("eyJhbGciOQ_-0", max_size=20)] * 3))
async def test_any_text_is_refused_with_the_documented_error(text: str) -> None:
    with pytest.raises(InvalidCredentialsError):
        await tokens().check(text)


def test_an_invalid_token_has_a_single_fault() -> None:
    """The token of another audience is otherwise valid, so that its test checks the audience."""
    assert jwt.decode(WRONG["audience"], keys.private_key("one").public_key(), ["RS256"], audience="somebody-else")
