"""The commands of Redis that the scripts and views of the fleet store use, with its arguments, replies and refusals.

This is a subset: a property test holds it to a real server. Whatever is not in it raises UnsupportedCommandError, be
it a command, an option of one or a score with a fraction. What a server would refuse raises RefusedError.

Keys, fields, members and values are bytes. A reply is an int, bytes, True (OK), None (nil) or a list of these.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from pixelfleet.fleet.memory.keyspace import MICROSECONDS, Keyspace, Members
from pixelfleet.fleet.memory.sorted_set import SortedSet

LARGEST_SCORE: Final = 2**53
"""A score of Redis is a double, which holds every whole number up to this."""

Hash = dict[bytes, bytes]
List = list[bytes]


class UnsupportedCommandError(NotImplementedError):
    """Something of Redis was used that the commands in memory do not have."""


# -- keys -------------------------------------------------------------------------------------------


def _delete(keys: Keyspace, *names: bytes) -> int:
    return sum(keys.drop(name) for name in names)


def _exists(keys: Keyspace, *names: bytes) -> int:
    return sum(name in keys for name in names)


def _expire(keys: Keyspace, key: bytes, seconds: bytes) -> int:
    if key not in keys:
        return 0
    keys.expire_at(key, keys.clock() + int(seconds) * MICROSECONDS)
    return 1


def _set_once(keys: Keyspace, key: bytes, value: bytes, condition: bytes, unit: bytes, span: bytes) -> bool | None:
    """Only as `SET key value NX PX milliseconds`."""
    if (condition, unit) != (b"NX", b"PX"):
        raise UnsupportedCommandError("SET without NX and PX")
    if key in keys:
        return None
    keys.set(key, value, keys.clock() + int(span) * 1000)
    return True


def _time(keys: Keyspace) -> list[bytes]:
    seconds, rest = divmod(keys.clock(), MICROSECONDS)
    return [b"%d" % seconds, b"%d" % rest]


# -- hashes -----------------------------------------------------------------------------------------


def _hget(keys: Keyspace, key: bytes, field: bytes) -> bytes | None:
    return keys.read(key, dict).get(field)


def _hmget(keys: Keyspace, key: bytes, *fields: bytes) -> list[bytes | None]:
    get = keys.read(key, dict).get
    return [get(field) for field in fields]


def _hset(keys: Keyspace, key: bytes, *pairs: bytes) -> int:
    given = dict(zip(pairs[::2], pairs[1::2], strict=True))
    known = keys.change(key, dict)
    before = len(known)
    known.update(given)
    return len(known) - before


def _hdel(keys: Keyspace, key: bytes, *fields: bytes) -> int:
    known = keys.read(key, dict)
    dropped = sum(known.pop(field, None) is not None for field in fields)
    keys.drop_if_empty(key)
    return dropped


def _hincrby(keys: Keyspace, key: bytes, field: bytes, step: bytes) -> int:
    value = int(keys.read(key, dict).get(field, b"0")) + int(step)
    keys.change(key, dict)[field] = b"%d" % value
    return value


# -- lists ------------------------------------------------------------------------------------------


def _lpush(keys: Keyspace, key: bytes, value: bytes) -> int:
    values = keys.change(key, list)
    values.insert(0, value)
    return len(values)


def _rpush(keys: Keyspace, key: bytes, value: bytes) -> int:
    values = keys.change(key, list)
    values.append(value)
    return len(values)


def _lrange(keys: Keyspace, key: bytes, start: bytes, stop: bytes) -> list[bytes]:
    values: List = keys.read(key, list)
    return values[_places(start, stop, len(values))]


def _ltrim(keys: Keyspace, key: bytes, start: bytes, stop: bytes) -> bool:
    values: List = keys.read(key, list)
    values[:] = values[_places(start, stop, len(values))]
    keys.drop_if_empty(key)
    return True


def _lindex(keys: Keyspace, key: bytes, place: bytes) -> bytes | None:
    values: List = keys.read(key, list)
    at = int(place)
    return values[at] if -len(values) <= at < len(values) else None


def _llen(keys: Keyspace, key: bytes) -> int:
    return len(keys.read(key, list))


def _lrem(keys: Keyspace, key: bytes, count: bytes, value: bytes) -> int:
    if int(count):
        raise UnsupportedCommandError("LREM with a count")
    values: List = keys.read(key, list)
    before = len(values)
    values[:] = [each for each in values if each != value]
    keys.drop_if_empty(key)
    return before - len(values)


# -- sets -------------------------------------------------------------------------------------------


def _sadd(keys: Keyspace, key: bytes, *members: bytes) -> int:
    known = keys.change(key, Members)
    before = len(known)
    known.update(dict.fromkeys(members))
    return len(known) - before


def _srem(keys: Keyspace, key: bytes, *members: bytes) -> int:
    known = keys.read(key, Members)
    before = len(known)
    for member in members:
        known.pop(member, None)
    dropped = before - len(known)
    keys.drop_if_empty(key)
    return dropped


def _scard(keys: Keyspace, key: bytes) -> int:
    return len(keys.read(key, Members))


def _sismember(keys: Keyspace, key: bytes, member: bytes) -> int:
    return int(member in keys.read(key, Members))


def _smembers(keys: Keyspace, key: bytes) -> list[bytes]:
    return list(keys.read(key, Members))


def _srandmember(keys: Keyspace, key: bytes, count: bytes) -> list[bytes]:
    """Any members: here the first ones."""
    if int(count) < 0:
        raise UnsupportedCommandError("SRANDMEMBER with repetitions")
    return list(keys.read(key, Members))[: int(count)]


def _spop(keys: Keyspace, key: bytes, count: bytes) -> list[bytes]:
    members = _srandmember(keys, key, count)
    _srem(keys, key, *members)
    return members


def _sdiff(keys: Keyspace, key: bytes, *others: bytes) -> list[bytes]:
    known = [keys.read(other, Members) for other in others]
    return [member for member in keys.read(key, Members) if not any(member in other for other in known)]


def _sunion(keys: Keyspace, *names: bytes) -> list[bytes]:
    union = Members()
    for name in names:
        union.update(keys.read(name, Members))
    return list(union)


# -- sorted sets ------------------------------------------------------------------------------------


def _zadd(keys: Keyspace, key: bytes, *words: bytes) -> int:
    """One member, with NX (only when it is new) or XX (only when it is not) or neither."""
    *options, score, member = words
    if options not in ([], [b"NX"], [b"XX"]):
        raise UnsupportedCommandError(f"ZADD with {options}")
    at, known = _score(score), keys.read(key, SortedSet)
    if options and (options == [b"NX"]) == (known.score(member) is not None):
        return 0
    return int(keys.change(key, SortedSet).put(member, at))


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
    known = keys.read(key, SortedSet)
    places = _places(start, stop, len(known))
    pairs = known.between(places.start, places.stop)
    if not options:
        return [member for _, member in pairs]
    return [word for score, member in pairs for word in (member, b"%d" % score)]


def _zrangebyscore(keys: Keyspace, key: bytes, lowest: bytes, highest: bytes, *options: bytes) -> list[bytes]:
    """Only as `ZRANGEBYSCORE key -inf score LIMIT 0 count`."""
    if lowest != b"-inf" or options[:2] != (b"LIMIT", b"0") or len(options) != 3:
        raise UnsupportedCommandError("ZRANGEBYSCORE but from the lowest, or without LIMIT 0")
    return [member for _, member in keys.read(key, SortedSet).up_to(_score(highest), int(options[2]))]


def _zpopmin(keys: Keyspace, key: bytes) -> list[bytes]:
    known = keys.read(key, SortedSet)
    if not known:
        return []
    score, member = known.pop_lowest()
    keys.drop_if_empty(key)
    return [member, b"%d" % score]


def _score(word: bytes) -> int:
    try:
        score = int(word)
    except ValueError:
        raise UnsupportedCommandError(f"a score of {word!r}") from None
    if abs(score) > LARGEST_SCORE:
        raise UnsupportedCommandError(f"a score that no double holds: {score}")
    return score


def _places(start: bytes, stop: bytes, length: int) -> slice:
    """Return places as Redis counts them, from either end and with the last one, as Python does."""
    first, last = int(start), int(stop)
    first = max(0, first + length) if first < 0 else first
    last = last + length if last < 0 else last
    return slice(first, max(first, min(last, length - 1) + 1))


COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "DEL": _delete,
    "EXISTS": _exists,
    "EXPIRE": _expire,
    "HDEL": _hdel,
    "HGET": _hget,
    "HINCRBY": _hincrby,
    "HMGET": _hmget,
    "HSET": _hset,
    "LINDEX": _lindex,
    "LLEN": _llen,
    "LPUSH": _lpush,
    "LRANGE": _lrange,
    "LREM": _lrem,
    "LTRIM": _ltrim,
    "RPUSH": _rpush,
    "SADD": _sadd,
    "SCARD": _scard,
    "SDIFF": _sdiff,
    "SET": _set_once,
    "SISMEMBER": _sismember,
    "SMEMBERS": _smembers,
    "SPOP": _spop,
    "SRANDMEMBER": _srandmember,
    "SREM": _srem,
    "SUNION": _sunion,
    "TIME": _time,
    "ZADD": _zadd,
    "ZCARD": _zcard,
    "ZPOPMIN": _zpopmin,
    "ZRANGE": _zrange,
    "ZRANGEBYSCORE": _zrangebyscore,
    "ZREM": _zrem,
    "ZSCORE": _zscore,
}


def run_command(keys: Keyspace, name: str, words: Sequence[bytes]) -> Any:
    """Carry out a command. Raises UnsupportedCommandError or RefusedError."""
    command = COMMANDS.get(name)
    if command is None:
        raise UnsupportedCommandError(f"the fleet store in memory does not have the command {name}")
    try:
        return command(keys, *words)
    except (TypeError, ValueError) as error:
        raise UnsupportedCommandError(f"{name} {words}: {error}") from error
