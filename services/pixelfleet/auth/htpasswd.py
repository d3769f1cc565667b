"""Password authentication with htpasswd users, off the event loop.

A hash is slow by design (bcrypt takes some 50 to 300 ms). It is computed in a thread, with bounded concurrency, and a
success is cached for a while under a keyed digest: the many requests of one page cost one hash.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import bcrypt
from passlib.hash import apr_md5_crypt, sha256_crypt, sha512_crypt  # type: ignore[import-untyped]  # has no types

from pixelfleet.auth.identity import AuthBackendError, Identity, InvalidCredentialsError

MAX_CONCURRENT: Final = 2
"""Hashes computed at the same time."""

MAX_WAITING: Final = 64
"""Checks in progress or queued; further ones fail with AuthBackendError."""

MAX_WAITING_PER_CLIENT: Final = 16
"""Checks of one client address in progress or queued. They run one after the other, so that other clients' checks do
not wait behind them."""

CACHE_SIZE: Final = 1024
CACHE_SECONDS: Final = 300.0
MAX_BCRYPT_BYTES: Final = 72
"""bcrypt reads this many bytes of a password. Apache truncates there, so its hashes need the same truncation."""

_WRONG: Final = "wrong user name or password"


@dataclass(frozen=True, slots=True)
class User:
    """One line of the file."""

    hash: str
    roles: frozenset[str]


def read_users(lines: Iterable[str], role: str) -> dict[str, User]:
    """Return the users by name; raise ValueError with the line's number and without its hash.

    A line is `name:hash`, or `name:hash:role role` as an extension; `role` is the default role.
    """
    users: dict[str, User] = {}
    for number, line in enumerate(lines, 1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        name, colon, rest = entry.partition(":")
        hashed, _, roles = rest.partition(":")
        if not name or not colon or _checker(hashed) is None:
            raise ValueError(f"line {number} is not `name:hash` with a hash of bcrypt ($2y$), apr1, sha256 or sha512")
        named = frozenset(roles.split())
        users[name] = User(hashed, named or frozenset((role,)))
    return users


def matches(password: str, hashed: str) -> bool:
    """Return whether a password has this hash. Blocks for up to some 300 ms."""
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
    except ValueError:  # the password cannot be hashed, such as one with a zero byte
        return False


def _bcrypt(password: str, hashed: str) -> bool:
    try:
        return bcrypt.checkpw(password.encode()[:MAX_BCRYPT_BYTES], hashed.encode())
    except ValueError:  # not a valid hash
        return False


@dataclass(slots=True)
class _Turn:
    """The checks of one client."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class Users:
    """Authenticates users by name and password."""

    def __init__(self, users: dict[str, User], clock: Callable[[], float]) -> None:
        self._users: dict[str, User] = {}
        self._decoys: list[str] = []
        """Hashes that are checked for unknown names, so that those take as long as known names."""
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._cache: OrderedDict[bytes, float] = OrderedDict()
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._waiting = 0
        self._turns: dict[str, _Turn] = {}
        self.replace(users)

    def __len__(self) -> int:
        return len(self._users)

    def replace(self, users: dict[str, User]) -> bool:
        """Set the users, and forget all checked passwords if they differ; return whether they do."""
        if users == self._users:
            return False
        self._users = users
        self._decoys = [user.hash for user in users.values()]
        self._cache.clear()
        return True

    async def check(self, name: str, password: str, client: str = "") -> Identity:
        """Return the user's identity; raise InvalidCredentialsError, or AuthBackendError if too many checks wait.

        `client` is the client's address, as limits count it.
        """
        user = self._users.get(name)
        digest = self._digest(name, password)
        if user is None or self._cache.get(digest, 0.0) <= self._clock():
            valid = await self._hash(password, user.hash if user else self._decoy(name), client)
            if user is None or not valid or self._users.get(name) != user:  # replaced during the check
                raise InvalidCredentialsError(_WRONG)
            self._remember(digest)
        return Identity(name, "basic", user.roles)

    def _decoy(self, name: str) -> str:
        """Return the same hash each time for a name: with several kinds of hashes the duration must not vary."""
        if not self._decoys:
            return ""
        return self._decoys[int.from_bytes(self._digest(name, "")[:8]) % len(self._decoys)]

    async def _hash(self, password: str, hashed: str, client: str) -> bool:
        turn = self._turns.setdefault(client, _Turn())
        if self._waiting >= MAX_WAITING or turn.waiting >= MAX_WAITING_PER_CLIENT:
            raise AuthBackendError("too many password checks are waiting")
        self._waiting += 1
        turn.waiting += 1
        try:
            async with turn.lock, self._slots:
                return await asyncio.to_thread(matches, password, hashed)
        finally:
            self._waiting -= 1
            turn.waiting -= 1
            if not turn.waiting:
                self._turns.pop(client, None)

    def _digest(self, name: str, password: str) -> bytes:
        return hmac.digest(self._key, f"{name}\0{password}".encode(), hashlib.sha256)

    def _remember(self, digest: bytes) -> None:
        self._cache[digest] = self._clock() + CACHE_SECONDS
        self._cache.move_to_end(digest)
        while len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)
