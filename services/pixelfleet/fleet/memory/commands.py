"""The commands of Redis that the scripts and views of the fleet store use, with its arguments, replies and errors.

This is a subset; a property test compares it with a real server. A command, option or fractional score outside of it
raises UnsupportedCommandError. What a server would refuse raises RefusedError.

Keys, fields, members and values are bytes. A reply is an int, bytes, True (OK), None (nil) or a list of these.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from pixelfleet.fleet.memory.keyspace import MICROSECONDS, Keyspace, UnsupportedCommandError, slice_of
from pixelfleet.fleet.memory.set_commands import SET_COMMANDS
from pixelfleet.fleet.memory.streams import STREAM_COMMANDS

Hash = dict[bytes, bytes]
List = list[bytes]


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


def _hgetall(keys: Keyspace, key: bytes) -> list[bytes]:
    return [word for pair in keys.read(key, dict).items() for word in pair]


def _hset(keys: Keyspace, key: bytes, *pairs: bytes) -> int:
    changes = dict(zip(pairs[::2], pairs[1::2], strict=True))
    stored = keys.change(key, dict)
    before = len(stored)
    stored.update(changes)
    return len(stored) - before


def _hdel(keys: Keyspace, key: bytes, *fields: bytes) -> int:
    stored = keys.read(key, dict)
    dropped = sum(stored.pop(field, None) is not None for field in fields)
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
    return values[slice_of(start, stop, len(values))]


def _ltrim(keys: Keyspace, key: bytes, start: bytes, stop: bytes) -> bool:
    values: List = keys.read(key, list)
    values[:] = values[slice_of(start, stop, len(values))]
    keys.drop_if_empty(key)
    return True


def _lindex(keys: Keyspace, key: bytes, index: bytes) -> bytes | None:
    values: List = keys.read(key, list)
    at = int(index)
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


COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    **SET_COMMANDS,
    **STREAM_COMMANDS,
    "DEL": _delete,
    "EXISTS": _exists,
    "EXPIRE": _expire,
    "HDEL": _hdel,
    "HGET": _hget,
    "HGETALL": _hgetall,
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
    "SET": _set_once,
    "TIME": _time,
}


def run_command(keys: Keyspace, name: str, words: Sequence[bytes]) -> Any:
    """Run a command; return its reply. Raises UnsupportedCommandError or RefusedError."""
    command = COMMANDS.get(name)
    if command is None:
        raise UnsupportedCommandError(f"the fleet store in memory does not have the command {name}")
    try:
        return command(keys, *words)
    except (TypeError, ValueError) as error:
        raise UnsupportedCommandError(f"{name} {words}: {error}") from error
