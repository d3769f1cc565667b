"""Users with a password: lines of htpasswd, checked off the event loop.

A hash is made to cost (bcrypt some 50 to 300 ms), so it is computed in a thread, few at once, and one that was right is
remembered for a while under a keyed digest: a page's many requests cost one hash.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import bcrypt
from passlib.hash import apr_md5_crypt, sha256_crypt, sha512_crypt  # type: ignore[import-untyped]  # has no types

from pixelfleet.auth.identity import AuthBackendError, Identity, InvalidCredentialsError

AT_ONCE: Final = 2
"""Hashes computed at the same time."""

MAX_WAITING: Final = 64
"""Hashes that may wait for their turn; a further one is not begun."""

REMEMBERED: Final = 1024
REMEMBERED_SECONDS: Final = 300.0
MAX_BCRYPT_BYTES: Final = 72
"""What bcrypt reads of a password. Apache cuts there, so the hashes that it made want it cut."""

_WRONG: Final = "no such user, or not the password"


@dataclass(frozen=True, slots=True)
class User:
    """One line."""

    hash: str
    roles: frozenset[str]


def read_users(lines: Iterable[str], role: str) -> dict[str, User]:
    """Return the users by name; raise ValueError, which tells a line's number and nothing of its hash.

    A line is `name:hash` or, with us, `name:hash:role role`; `role` is for those whose line names none.
    """
    users: dict[str, User] = {}
    for number, line in enumerate(lines, 1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        name, colon, rest = entry.partition(":")
        hashed, _, roles = rest.partition(":")
        if not name or not colon or _checker(hashed) is None:
            raise ValueError(f"line {number} is no `name:hash` with a hash of bcrypt ($2y$), apr1, sha256 or sha512")
        named = frozenset(roles.split())
        users[name] = User(hashed, named or frozenset((role,)))
    return users


def matches(password: str, hashed: str) -> bool:
    """Tell whether a password has this hash. It takes long."""
    checker = _checker(hashed)
    return checker is not None and checker(password, hashed)


def _checker(hashed: str) -> Callable[[str, str], bool] | None:
    if hashed.startswith(("$2y$", "$2b$", "$2a$")) and len(hashed) == 60:
        return _bcrypt
    for scheme in (apr_md5_crypt, sha256_crypt, sha512_crypt):
        if scheme.identify(hashed):
            return lambda password, of: _crypt(scheme, password, of)
    return None


def _crypt(scheme: Any, password: str, hashed: str) -> bool:
    try:
        return bool(scheme.verify(password, hashed))
    except ValueError:  # a password that no such hash can have, as with a zero byte in it
        return False


def _bcrypt(password: str, hashed: str) -> bool:
    try:
        return bcrypt.checkpw(password.encode()[:MAX_BCRYPT_BYTES], hashed.encode())
    except ValueError:  # a hash that only looks like one
        return False


class Users:
    """Checks names and passwords."""

    def __init__(self, users: dict[str, User], clock: Callable[[], float]) -> None:
        self._users = users
        self._decoys = [user.hash for user in users.values()]
        """What is computed for names that are not known, so that they take as long as those that are."""
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, float] = OrderedDict()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def check(self, name: str, password: str) -> Identity:
        """Return who this is; raise InvalidCredentialsError, or AuthBackendError when too many ask at once."""
        user = self._users.get(name)
        digest = self._digest(name, password)
        if user is None or self._right.get(digest, 0.0) <= self._clock():
            right = await self._hash(password, user.hash if user else self._decoy(name))
            if user is None or not right:
                raise InvalidCredentialsError(_WRONG)
            self._remember(digest)
        return Identity(name, "basic", user.roles)

    def _decoy(self, name: str) -> str:
        """Return the same user's hash each time: where hashes are of several kinds, a name's time tells nothing."""
        if not self._decoys:
            return ""
        return self._decoys[int.from_bytes(self._digest(name, "")[:8]) % len(self._decoys)]

    async def _hash(self, password: str, hashed: str) -> bool:
        if self._waiting >= MAX_WAITING:
            raise AuthBackendError("too many passwords are being checked")
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(matches, password, hashed)
        finally:
            self._waiting -= 1

    def _digest(self, name: str, password: str) -> bytes:
        return hmac.digest(self._key, f"{name}\0{password}".encode(), hashlib.sha256)

    def _remember(self, digest: bytes) -> None:
        self._right[digest] = self._clock() + REMEMBERED_SECONDS
        self._right.move_to_end(digest)
        while len(self._right) > REMEMBERED:
            self._right.popitem(last=False)
