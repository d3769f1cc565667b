"""An issuer's keys."""

import asyncio

import orjson
import pytest

from pixelfleet.auth.identity import AuthBackendError, InvalidCredentialsError
from pixelfleet.auth.jwks import FETCH_GAP_SECONDS, LONGEST_SECONDS, REFRESH_AFTER_SECONDS, KeySet, readable_keys
from tests.unit.pixelfleet.auth import keys

DISCOVERED = f"{keys.ISSUER}/.well-known/openid-configuration"


class Issuer:
    """Answers what it is asked for, and counts."""

    def __init__(self) -> None:
        self.now = 0.0
        self.names: tuple[str, ...] = ("one",)
        self.away = False
        self.asked: list[str] = []
        self.discovery = {"issuer": keys.ISSUER, "jwks_uri": f"{keys.ISSUER}/keys"}

    async def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        if self.away:
            raise AuthBackendError("the issuer is away")
        return orjson.dumps(self.discovery) if url == DISCOVERED else keys.jwks(*self.names)

    def set(self, url: str = f"{keys.ISSUER}/keys") -> KeySet:
        return KeySet(keys.ISSUER, url, self, lambda: self.now)


async def test_keys_are_found_by_discovery_and_fetched_once() -> None:
    issuer = Issuer()
    found = issuer.set("")
    for _ in range(5):
        assert (await found.key("one")).key_id == "one"
    assert issuer.asked == [DISCOVERED, f"{keys.ISSUER}/keys"]


async def test_a_new_key_is_fetched_when_a_token_names_it_but_not_for_each_that_does() -> None:
    issuer = Issuer()
    found = issuer.set()
    await found.key("one")
    issuer.names = ("one", "two")
    for _ in range(3):
        with pytest.raises(InvalidCredentialsError):
            await found.key("two")
    assert len(issuer.asked) == 1
    issuer.now += FETCH_GAP_SECONDS + 1
    assert (await found.key("two")).key_id == "two"
    for number in range(50):
        with pytest.raises(InvalidCredentialsError):
            await found.key(f"made up {number}")
    assert len(issuer.asked) == 2


async def test_nobody_with_a_known_key_waits_for_an_issuer_that_hangs() -> None:
    issuer = Issuer()
    found = issuer.set()
    await found.key("one")
    issuer.now += REFRESH_AFTER_SECONDS + 1
    async with asyncio.TaskGroup() as group, found._fetching:
        for _ in range(3):
            assert (await group.create_task(found.key("one"))).key_id == "one"
    await found.key("one")
    assert len(issuer.asked) == 2


async def test_a_key_that_was_taken_away_holds_no_more_once_the_keys_are_old() -> None:
    issuer = Issuer()
    found = issuer.set()
    await found.key("one")
    issuer.names = ("two",)
    issuer.now += REFRESH_AFTER_SECONDS + 1
    with pytest.raises(InvalidCredentialsError):
        await found.key("one")


async def test_keys_hold_while_the_issuer_is_away_but_not_for_ever() -> None:
    issuer = Issuer()
    found = issuer.set()
    await found.key("one")
    issuer.away = True
    issuer.now += REFRESH_AFTER_SECONDS + 1
    await found.key("one")
    issuer.now += LONGEST_SECONDS
    with pytest.raises(AuthBackendError):
        await found.key("one")


async def test_an_issuer_that_was_never_reached_can_tell_nothing() -> None:
    issuer = Issuer()
    issuer.away = True
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
async def test_a_discovery_document_that_is_not_its_own_is_not_believed(wrong: dict[str, object]) -> None:
    issuer = Issuer()
    issuer.discovery |= wrong  # type: ignore[arg-type]  # that is the point
    with pytest.raises(AuthBackendError):
        await issuer.set("").key("one")
    assert issuer.asked == [DISCOVERED]


async def test_a_token_without_a_key_id_takes_the_only_key() -> None:
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
