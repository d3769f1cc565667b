"""Loads the scripts of `lua/` into Redis: as a library of functions, or one by one on servers without functions.

A library (Redis 7, Valkey) evaluates the common part once. A plain script evaluates it with each call, which costs
more than most scripts themselves (docs/explanation/performance.md).
"""

import asyncio
import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from pixelfleet.fleet import bounds
from pixelfleet.fleet.redis.interface import Word
from pixelfleet.fleet.redis.wire import Wire, unwrap

SCRIPTS: Final = (
    "audit",
    "beat",
    "end",
    "epoch",
    "events",
    "extend",
    "give_back",
    "hold_back",
    "join",
    "keep",
    "lanes",
    "leave",
    "policies",
    "records",
    "redeem",
    "report",
    "restore",
    "seconds_left",
    "totals",
)

GROWING: Final = frozenset({"join", "redeem"})
"""The scripts that a full server refuses. All others run there too: the heartbeats of the fleet, and what releases
memory. What these store is limited by the fleet's own servers and replicas, and not by the number of players."""

STEPS: Final = (
    *("begin", "facts", "records", "events", "apps", "streamers", "tickets", "matching", "uses", "endings", "answers"),
)
"""The files of `lua/steps/` that precede the scripts. Each uses the definitions of those before it."""

TIMES: Final = (
    "ARRIVAL",
    "CLAIM",
    "EVENTS_LAST",
    "DAY",
    "EXPIRY",
    "FAILURE",
    "FIRST_QUARANTINE",
    "LONGEST_QUARANTINE",
    "PAGE_ARRIVAL",
    "RECOUNT",
    "SELECTOR_USE",
    "UNUSED",
    "WARM_UP",
)
"""The bounds of the scripts that are times. In Lua they are in microseconds, without `_SECONDS` in their names."""
NUMBERS: Final = (
    "AUDIT_EVENTS",
    "AWAY_SECONDS",
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
    "MAX_SELECTORS_OF_CLIENT",
    "MAX_UNKNOWN_APPS",
    "MAX_UNKNOWN_APPS_OF_CLIENT",
    "PLACED_AT_ONCE",
    "RESTORE_SECONDS",
    "SERVED_AT_ONCE",
    "SERVERS_AT_ONCE",
    "SESSIONS_AT_ONCE",
    "SESSION_ID_LENGTH",
    "USE_KEPT_SECONDS",
)
"""The bounds of the scripts that are plain numbers, with the same names in Lua."""

LIBRARY_PREFIX: Final = "pixelfleet_"
"""The beginning of the names of all libraries, of this release and of others."""

UNKNOWN_SCRIPT: Final = ("NOSCRIPT", "ERR Function not found")
"""The beginnings of errors of a server that does not have the called script or function."""

_BEGIN: Final = "begin(KEYS, ARGV)"

_FIRST_CALLS: Final = {
    True: "redis.call('SETRANGE', KEYS[1] .. 'none', 0, '')",
    False: "redis.call('DEL', KEYS[1] .. 'none')",
}
"""The first command of a script on a server without functions, by whether a full server refuses the script.

Redis refuses writes that may use memory until a script has written once. Neither command has an effect of its own: the
key does not exist. The first is refused; after the second the script runs to its end, as with the flag `allow-oom`."""


async def load(wire: Wire) -> dict[str, tuple[Word, ...]]:
    """Load the scripts into a server; return the first words of the command that calls each. Raises a RedisError."""
    text = await asyncio.to_thread(library_text)
    reply = await wire.call("FUNCTION", "LOAD", text)
    if not isinstance(reply, Exception) or "already exists" in str(reply):
        return {name: ("FCALL", f"{library_name()}_{name}") for name in SCRIPTS}
    # The server is older than Redis 7, or functions are disabled.
    texts = [await asyncio.to_thread(script_text, name) for name in SCRIPTS]
    replies = [wire.call("SCRIPT", "LOAD", text) for text in texts]
    return {name: ("EVALSHA", unwrap(await reply).decode()) for name, reply in zip(SCRIPTS, replies, strict=True)}


@cache
def script_text(name: str) -> str:
    """Return a script with the common part, as a server without functions runs it."""
    return f"{_FIRST_CALLS[name in GROWING]}\n{_common()}\n{_BEGIN}\n{_body(name)}"


@cache
def library_text() -> str:
    """Return all scripts as one library. Its name changes with its text, so that each release calls its own."""
    return f"#!lua name={library_name()}\n{_functions(library_name())}"


@cache
def library_name() -> str:
    """Return the library's name, which is also the prefix of its functions' names."""
    return f"{LIBRARY_PREFIX}{hashlib.sha256(_functions('').encode()).hexdigest()[:16]}"


def _functions(prefix: str) -> str:
    parts = [_common()]
    for name in SCRIPTS:
        function = f"function(KEYS, ARGV)\n{_BEGIN}\n{_body(name)}\nend"
        flags = "" if name in GROWING else "'allow-oom'"
        parts.append(
            f"redis.register_function{{function_name = '{prefix}_{name}', flags = {{{flags}}}, callback = {function}}}"
        )
    return "\n".join(parts)


def _body(name: str) -> str:
    return _text(f"{name}.lua")


def _text(*path: str) -> str:
    return files("pixelfleet.fleet.redis").joinpath("lua", *path).read_text(encoding="utf-8")


def _common() -> str:
    return "\n".join((_constants(), *(_text("steps", f"{name}.lua") for name in STEPS)))


def _constants() -> str:
    """Return the bounds of the scripts as Lua definitions, times in microseconds."""
    micros = {name: round(getattr(bounds, f"{name}_SECONDS") * 1e6) for name in TIMES}
    numbers = {name: getattr(bounds, name) for name in NUMBERS}
    return " ".join(f"local {name} = {value}" for name, value in {**micros, **numbers}.items())
