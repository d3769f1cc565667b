"""The commands on sets and sorted sets; commands.py describes arguments, replies and errors."""

from collections.abc import Callable
from typing import Any, Final

from pixelfleet.fleet.memory.keyspace import Keyspace, Members, UnsupportedCommandError, slice_of
from pixelfleet.fleet.memory.sorted_set import SortedSet

LARGEST_SCORE: Final = 2**53
"""Scores of Redis are doubles, which are exact for whole numbers up to this."""

# -- sets -------------------------------------------------------------------------------------------


def _sadd(keys: Keyspace, key: bytes, *members: bytes) -> int:
    stored = keys.change(key, Members)
    before = len(stored)
    stored.update(dict.fromkeys(members))
    return len(stored) - before


def _srem(keys: Keyspace, key: bytes, *members: bytes) -> int:
    stored = keys.read(key, Members)
    before = len(stored)
    for member in members:
        stored.pop(member, None)
    dropped = before - len(stored)
    keys.drop_if_empty(key)
    return dropped


def _scard(keys: Keyspace, key: bytes) -> int:
    return len(keys.read(key, Members))


def _sismember(keys: Keyspace, key: bytes, member: bytes) -> int:
    return int(member in keys.read(key, Members))


def _smembers(keys: Keyspace, key: bytes) -> list[bytes]:
    return list(keys.read(key, Members))


def _srandmember(keys: Keyspace, key: bytes, count: bytes) -> list[bytes]:
    """Return any members: here the first ones."""
    if int(count) < 0:
        raise UnsupportedCommandError("SRANDMEMBER with repetitions")
    return list(keys.read(key, Members))[: int(count)]


def _spop(keys: Keyspace, key: bytes, count: bytes) -> list[bytes]:
    members = _srandmember(keys, key, count)
    _srem(keys, key, *members)
    return members


def _sdiff(keys: Keyspace, key: bytes, *others: bytes) -> list[bytes]:
    subtracted = [keys.read(other, Members) for other in others]
    return [member for member in keys.read(key, Members) if not any(member in other for other in subtracted)]


def _sunion(keys: Keyspace, *names: bytes) -> list[bytes]:
    union = Members()
    for name in names:
        union.update(keys.read(name, Members))
    return list(union)


# -- sorted sets ------------------------------------------------------------------------------------


def _zadd(keys: Keyspace, key: bytes, *words: bytes) -> int:
    """Add one member, with NX (only if it is new), XX (only if it is not) or neither."""
    *options, score, member = words
    if options not in ([], [b"NX"], [b"XX"]):
        raise UnsupportedCommandError(f"ZADD with {options}")
    value, stored = _score(score), keys.read(key, SortedSet)
    if options and (options == [b"NX"]) == (stored.score(member) is not None):
        return 0
    return int(keys.change(key, SortedSet).put(member, value))


def _zrem(keys: Keyspace, key: bytes, member: bytes) -> int:
    dropped = keys.read(key, SortedSet).discard(member)
    keys.drop_if_empty(key)
    return int(dropped)


def _zcard(keys: Keyspace, key: bytes) -> int:
    return len(keys.read(key, SortedSet))


def _zscore(keys: Keyspace, key: bytes, member: bytes) -> bytes | None:
    score = keys.read(key, SortedSet).score(member)
    return None if score is None else b"%d" % score


def _zrange(keys: Keyspace, key: bytes, start: bytes, stop: bytes, *options: bytes) -> list[bytes]:
    if options not in ((), (b"WITHSCORES",)):
        raise UnsupportedCommandError(f"ZRANGE with {options}")
    stored = keys.read(key, SortedSet)
    indices = slice_of(start, stop, len(stored))
    pairs = stored.between(indices.start, indices.stop)
    if not options:
        return [member for _, member in pairs]
    return [word for score, member in pairs for word in (member, b"%d" % score)]


def _zrangebyscore(keys: Keyspace, key: bytes, lowest: bytes, highest: bytes, *options: bytes) -> list[bytes]:
    """Only as `ZRANGEBYSCORE key -inf score LIMIT 0 count`."""
    if lowest != b"-inf" or options[:2] != (b"LIMIT", b"0") or len(options) != 3:
        raise UnsupportedCommandError("ZRANGEBYSCORE without -inf or LIMIT 0")
    return [member for _, member in keys.read(key, SortedSet).up_to(_score(highest), int(options[2]))]


def _zpopmin(keys: Keyspace, key: bytes) -> list[bytes]:
    stored = keys.read(key, SortedSet)
    if not stored:
        return []
    score, member = stored.pop_lowest()
    keys.drop_if_empty(key)
    return [member, b"%d" % score]


def _score(word: bytes) -> int:
    try:
        score = int(word)
    except ValueError:
        raise UnsupportedCommandError(f"a score of {word!r}") from None
    if abs(score) > LARGEST_SCORE:
        raise UnsupportedCommandError(f"a score that a double cannot represent: {score}")
    return score


SET_COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "SADD": _sadd,
    "SCARD": _scard,
    "SDIFF": _sdiff,
    "SISMEMBER": _sismember,
    "SMEMBERS": _smembers,
    "SPOP": _spop,
    "SRANDMEMBER": _srandmember,
    "SREM": _srem,
    "SUNION": _sunion,
    "ZADD": _zadd,
    "ZCARD": _zcard,
    "ZPOPMIN": _zpopmin,
    "ZRANGE": _zrange,
    "ZRANGEBYSCORE": _zrangebyscore,
    "ZREM": _zrem,
    "ZSCORE": _zscore,
}
