"""The scripts of `lua/` as Redis takes them: as a library of functions, or one by one where there are no functions.

A library (Redis 7, Valkey) is read once and keeps what is common to all scripts; a script makes all of that anew with
each call, which costs more than most of them do (docs/explanation/performance.md).
"""

import asyncio
import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from pixelfleet.fleet import model
from pixelfleet.fleet.redis_wire import Wire, Word, done

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
    return files("pixelfleet.fleet").joinpath("lua", *path).read_text(encoding="utf-8")


def _common() -> str:
    return "\n".join((_constants(), *(_text("steps", f"{name}.lua") for name in STEPS)))


def _constants() -> str:
    """Return the numbers of the model as Lua, times in microseconds."""
    seconds = {
        "CLAIM": model.CLAIM_SECONDS,
        "ARRIVAL": model.ARRIVAL_SECONDS,
        "PAGE_ARRIVAL": model.PAGE_ARRIVAL_SECONDS,
        "EXPIRY": model.EXPIRY_SECONDS,
        "FRESH": model.FRESH_SECONDS,
        "FIRST_ASIDE": model.FIRST_ASIDE_SECONDS,
        "LONGEST_ASIDE": model.LONGEST_ASIDE_SECONDS,
        "UNUSED": model.UNUSED_SECONDS,
    }
    numbers = {
        "MAX_SELECTORS": model.MAX_SELECTORS,
        "MAX_AVOIDED": model.MAX_AVOIDED,
        "EXACT_POSITIONS": model.EXACT_POSITIONS,
        "LOOK_AHEAD": model.LOOK_AHEAD,
        **{name: round(value * 1e6) for name, value in seconds.items()},
    }
    return " ".join(f"local {name} = {value}" for name, value in numbers.items())
