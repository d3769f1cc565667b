"""An issuer's keys."""

import asyncio

import orjson
import pytest

from pixelfleet.auth.identity import AuthBackendError, InvalidCredentialsError
from pixelfleet.auth.jwks import FETCH_GAP_SECONDS, MAX_AGE_SECONDS, REFRESH_AFTER_SECONDS, KeySet, readable_keys
from tests.unit.pixelfleet.auth import keys

DISCOVERED = f"{keys.ISSUER}/.well-known/openid-configuration"


class Issuer:
    """Serves its documents and records the requests."""

    def __init__(self) -> None:
        self.now = 0.0
        self.names: tuple[str, ...] = ("one",)
        self.unreachable = False
        self.requests: list[str] = []
        self.discovery = {"issuer": keys.ISSUER, "jwks_uri": f"{keys.ISSUER}/keys"}

    async def __call__(self, url: str) -> bytes:
        self.requests.append(url)
        if self.unreachable:
            raise AuthBackendError("the issuer is unreachable")
        return orjson.dumps(self.discovery) if url == DISCOVERED else keys.jwks(*self.names)

    def set(self, url: str = f"{keys.ISSUER}/keys") -> KeySet:
        return KeySet(keys.ISSUER, url, self, lambda: self.now)


async def test_keys_are_found_by_discovery_and_fetched_once() -> None:
    issuer = Issuer()
    found = issuer.set("")
    for _ in range(5):
        assert (await found.key("one")).key_id == "one"
    assert issuer.requests == [DISCOVERED, f"{keys.ISSUER}/keys"]


async def test_an_unknown_key_causes_a_fetch_at_a_bounded_rate() -> None:
    issuer = Issuer()
    found = issuer.set()
    await found.key("one")
    issuer.names = ("one", "two")
    for _ in range(3):
        with pytest.raises(AuthBackendError, match="cannot be fetched again yet"):
            await found.key("two")
    assert len(issuer.requests) == 1
    issuer.now += FETCH_GAP_SECONDS + 1
    assert (await found.key("two")).key_id == "two"
    for number in range(50):
        with pytest.raises(AuthBackendError):
            await found.key(f"made up {number}")
    assert len(issuer.requests) == 2
    issuer.now += FETCH_GAP_SECONDS + 1
    with pytest.raises(InvalidCredentialsError):
        await found.key("made up")


async def test_after_anothers_unknown_key_a_rotated_key_is_unavailable_and_not_invalid() -> None:
    issuer = Issuer()
    found = issuer.set()
    await found.key("one")
    issuer.now += FETCH_GAP_SECONDS + 1
    with pytest.raises(InvalidCredentialsError):
        await found.key("made up")
    issuer.names = ("one", "two")
    with pytest.raises(AuthBackendError):
        await found.key("two")
    issuer.now += FETCH_GAP_SECONDS + 1
    assert (await found.key("two")).key_id == "two"


async def test_a_cached_key_does_not_wait_for_a_hanging_issuer() -> None:
    issuer = Issuer()
    found = issuer.set()
    await found.key("one")
    issuer.now += REFRESH_AFTER_SECONDS + 1
    async with asyncio.TaskGroup() as group, found._fetching:
        for _ in range(3):
            assert (await group.create_task(found.key("one"))).key_id == "one"
    await found.key("one")
    assert len(issuer.requests) == 2


async def test_a_removed_key_is_invalid_after_the_refresh() -> None:
    issuer = Issuer()
    found = issuer.set()
    await found.key("one")
    issuer.names = ("two",)
    issuer.now += REFRESH_AFTER_SECONDS + 1
    with pytest.raises(InvalidCredentialsError):
        await found.key("one")


async def test_keys_stay_valid_for_a_bounded_time_while_the_issuer_is_unreachable() -> None:
    issuer = Issuer()
    found = issuer.set()
    await found.key("one")
    issuer.unreachable = True
    issuer.now += REFRESH_AFTER_SECONDS + 1
    await found.key("one")
    issuer.now += MAX_AGE_SECONDS
    with pytest.raises(AuthBackendError):
        await found.key("one")


async def test_an_issuer_that_was_never_reached_is_unavailable() -> None:
    issuer = Issuer()
    issuer.unreachable = True
    with pytest.raises(AuthBackendError):
        await issuer.set().key("one")


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://other.test"},
        {"jwks_uri": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "ftp://x"},
    ],
)
async def test_an_invalid_discovery_document_is_rejected(wrong: dict[str, object]) -> None:
    issuer = Issuer()
    issuer.discovery |= wrong  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(AuthBackendError):
        await issuer.set("").key("one")
    assert issuer.requests == [DISCOVERED]


async def test_a_token_without_a_key_id_uses_the_only_key() -> None:
    issuer = Issuer()
    assert (await issuer.set().key(None)).key_id == "one"
    issuer.names = ("one", "two")
    with pytest.raises(InvalidCredentialsError):
        await issuer.set().key(None)


def test_only_public_keys_for_signatures_are_read() -> None:
    secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "s", "alg": "HS256"}
    entries = [secret, {**keys.jwk(), "use": "enc", "kid": "e"}, "text", {"kty": "RSA", "kid": "broken"}, keys.jwk()]
    assert list(readable_keys({"keys": entries})) == ["one"]
    with pytest.raises(AuthBackendError):
        readable_keys({"keys": "none"})
