"""Password authentication."""

import asyncio

import bcrypt
import pytest
from passlib.hash import sha512_crypt  # type: ignore[import-untyped]  # has no types

from pixelfleet.auth import htpasswd
from pixelfleet.auth.htpasswd import Users, matches, read_users
from pixelfleet.auth.identity import AuthBackendError, InvalidCredentialsError

APR1 = "$apr1$LRzCWRPd$YreDSrKr65Lnwak5xEP1G/"  # of "x", by Apache's algorithm
BCRYPT = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def users(clock: Clock | None = None) -> Users:
    lines = [f"ada:{BCRYPT}", f"bob:{APR1}:admin host", "", "# a comment"]
    return Users(read_users(lines, "player"), clock or Clock())


@pytest.mark.parametrize(
    "hashed", [APR1, "$2y$" + bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode()[4:]], ids=["apr1", "bcrypt"]
)
def test_hashes_of_apache_are_supported(hashed: str) -> None:
    assert matches("x", hashed)
    assert not matches("y", hashed)


def test_bcrypt_truncates_a_password_as_apache_does() -> None:
    hashed = bcrypt.hashpw(b"p" * 72, bcrypt.gensalt(4)).decode()
    assert matches("p" * 90, hashed)


@pytest.mark.parametrize("line", ["ada", "ada:", ":x", "ada:plain", "ada:{SHA}abc", "ada:$2y$04$short"])
def test_an_invalid_line_is_reported_without_its_hash(line: str) -> None:
    with pytest.raises(ValueError, match="line 2 is not") as error:
        read_users(["# first", line], "player")
    assert "plain" not in str(error.value)


async def test_roles_come_from_the_line_or_the_setting() -> None:
    assert (await users().check("ada", "secret")).roles == {"player"}
    assert (await users().check("bob", "x")).roles == {"admin", "host"}


@pytest.mark.parametrize(
    ("name", "password"), [("ada", "wrong"), ("nobody", "secret"), ("ada", ""), ("ada", "secret\0")]
)
async def test_an_unknown_name_and_a_wrong_password_have_the_same_error(name: str, password: str) -> None:
    with pytest.raises(InvalidCredentialsError, match="wrong user name or password"):
        await users().check(name, password)


async def test_an_unknown_name_costs_a_hash_too(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    def matches(_: str, of: str) -> bool:
        hashed.append(of)
        return False

    monkeypatch.setattr(htpasswd, "matches", matches)
    checked = users()
    for _ in range(3):
        with pytest.raises(InvalidCredentialsError):
            await checked.check("nobody", "x")
    assert len(hashed) == 3
    assert len(set(hashed)) == 1  # always the same user's hash
    for number in range(50):
        with pytest.raises(InvalidCredentialsError):
            await checked.check(f"nobody {number}", "x")
    assert set(hashed) == {user.hash for user in checked._users.values()}


@pytest.mark.parametrize("hashed", [APR1, BCRYPT, sha512_crypt.using(rounds=1000).hash("x")], ids=str.__len__)
@pytest.mark.parametrize("password", ["x\0", "\0", "secret\0"])
def test_a_password_that_cannot_be_hashed_is_wrong(hashed: str, password: str) -> None:
    assert not matches(password, hashed)


async def test_a_correct_password_is_cached_and_a_wrong_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count = 0

    def counting(password: str, hashed: str) -> bool:
        nonlocal count
        count += 1
        return password == "secret"

    monkeypatch.setattr(htpasswd, "matches", counting)
    clock = Clock()
    checked = users(clock)
    for _ in range(3):
        await checked.check("ada", "secret")
    assert count == 1
    clock.now += htpasswd.CACHE_SECONDS + 1
    await checked.check("ada", "secret")
    assert count == 2
    for _ in range(2):
        with pytest.raises(InvalidCredentialsError):
            await checked.check("ada", "wrong")
    assert count == 4


async def test_waiting_hashes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(htpasswd, "MAX_WAITING", 3)
    checked = users()
    results = await asyncio.gather(*(checked.check("ada", f"wrong{n}") for n in range(5)), return_exceptions=True)
    assert [type(each) for each in results] == [InvalidCredentialsError] * 3 + [AuthBackendError] * 2


async def test_checks_of_one_client_take_turns_with_those_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    async def hashed(_: object, password: str, _hash: str) -> bool:
        order.append(password)
        await asyncio.sleep(0)
        return False

    monkeypatch.setattr(asyncio, "to_thread", hashed)
    checked = users()
    many = [checked.check("ada", f"guess {number}", "192.0.2.1") for number in range(10)]
    results = await asyncio.gather(*many, checked.check("ada", "other", "192.0.2.2"), return_exceptions=True)
    assert {type(each) for each in results} == {InvalidCredentialsError}
    assert order[:2] == ["guess 0", "other"]
    assert checked._turns == {}


async def test_waiting_checks_of_one_client_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(htpasswd, "MAX_WAITING_PER_CLIENT", 2)
    checked = users()
    many = [checked.check("ada", f"guess {number}", "192.0.2.1") for number in range(4)]
    results = await asyncio.gather(*many, checked.check("ada", "secret", "192.0.2.2"), return_exceptions=True)
    assert [type(each) for each in results[:4]] == [InvalidCredentialsError] * 2 + [AuthBackendError] * 2
    assert getattr(results[4], "subject", None) == "ada"
