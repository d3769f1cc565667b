"""The scripts of `lua/` as Redis takes them: as a library of functions, or one by one where there are no functions.

A library (Redis 7, Valkey) is read once and keeps what is common to all scripts; a script makes all of that anew with
each call, which costs more than most of them do (docs/explanation/performance.md).
"""

import asyncio
import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from pixelfleet.fleet import bounds
from pixelfleet.fleet.redis.interface import Word
from pixelfleet.fleet.redis.wire import Wire, done

SCRIPTS: Final = (
    "end",
    "epoch",
    "give_back",
    "hold_back",
    "join",
    "keep",
    "lanes",
    "leave",
    "policies",
    "redeem",
    "report",
    "restore",
    "totals",
)

STEPS: Final = ("begin", "facts", "apps", "streamers", "tickets", "matching", "endings", "answers")
"""What stands before them, of `lua/steps/`: each of these uses what those before it define."""

TIMES: Final = (
    "ARRIVAL",
    "CLAIM",
    "EXPIRY",
    "FAILURE",
    "FIRST_QUARANTINE",
    "LONGEST_QUARANTINE",
    "PAGE_ARRIVAL",
    "SELECTOR_USE",
    "UNUSED",
    "WARM_UP",
)
"""The bounds that the scripts use: times. There they are in microseconds and without `_SECONDS` in their names."""
NUMBERS: Final = (
    "DUE_AT_ONCE",
    "ENDS_AFTER_CUT",
    "EXACT_POSITIONS",
    "FAILED_REPLICAS",
    "KEPT_ENDS",
    "LANES_AT_ONCE",
    "LOOK_AHEAD",
    "MARK_GROWTH",
    "MAX_EXCLUDED",
    "MAX_FAILURES",
    "MAX_SELECTORS",
    "PLACED_AT_ONCE",
    "RESTORE_SECONDS",
    "SERVED_AT_ONCE",
    "SERVERS_AT_ONCE",
    "SESSIONS_AT_ONCE",
)
"""The bounds that the scripts use: plain numbers, which have the same names there."""

FORGOTTEN: Final = ("NOSCRIPT", "ERR Function not found")
"""How Redis begins when it is asked for a script or a function that it does not know, or knows no more."""

_BEGIN: Final = "begin(KEYS, ARGV)"


async def load(wire: Wire) -> dict[str, tuple[Word, ...]]:
    """Give a server the scripts; return with which words each is called. Raises a RedisError."""
    text = await asyncio.to_thread(library_text)
    reply = await wire.call("FUNCTION", "LOAD", text)
    if not isinstance(reply, Exception) or "already exists" in str(reply):
        return {name: ("FCALL", f"{library_name()}_{name}") for name in SCRIPTS}
    # It is older, or lets us have no functions.
    texts = [await asyncio.to_thread(script_text, name) for name in SCRIPTS]
    replies = [wire.call("SCRIPT", "LOAD", text) for text in texts]
    return {name: ("EVALSHA", done(await reply).decode()) for name, reply in zip(SCRIPTS, replies, strict=True)}


@cache
def script_text(name: str) -> str:
    """Return a script as it is run by itself."""
    return f"{_common()}\n{_BEGIN}\n{_own(name)}"


@cache
def library_text() -> str:
    """Return all scripts as one library. Its name changes with its text: each release finds its own."""
    return f"#!lua name={library_name()}\n{_functions(library_name())}"


@cache
def library_name() -> str:
    """Return the library's name, which also begins the names of its functions."""
    return f"pixelfleet_{hashlib.sha256(_functions('').encode()).hexdigest()[:16]}"


def _functions(prefix: str) -> str:
    parts = [_common()]
    for name in SCRIPTS:
        function = f"function(KEYS, ARGV)\n{_BEGIN}\n{_own(name)}\nend"
        parts.append(f"redis.register_function('{prefix}_{name}', {function})")
    return "\n".join(parts)


def _own(name: str) -> str:
    return _text(f"{name}.lua")


def _text(*path: str) -> str:
    return files("pixelfleet.fleet.redis").joinpath("lua", *path).read_text(encoding="utf-8")


def _common() -> str:
    return "\n".join((_constants(), *(_text("steps", f"{name}.lua") for name in STEPS)))


def _constants() -> str:
    """Return the bounds that the scripts use as Lua, times in microseconds."""
    micros = {name: round(getattr(bounds, f"{name}_SECONDS") * 1e6) for name in TIMES}
    numbers = {name: getattr(bounds, name) for name in NUMBERS}
    return " ".join(f"local {name} = {value}" for name, value in {**micros, **numbers}.items())
