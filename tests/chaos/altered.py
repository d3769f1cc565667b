"""A service with a fault of its own: `python -m tests.chaos.altered MUTANT CLOCK SERVICE [OPTION]...`.

MUTANT is a name of MUTANTS, or empty. CLOCK is the number of seconds by which the wall clock of the process is ahead;
the loop's clock and the clock of Redis are not changed. A mutant is a build with a bug that the checks must find.
"""

import datetime
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import jwt.api_jwt

from pixelfleet.fleet.redis import scripts
from pixelfleet_cli.cli import main


def _replace_in_scripts(text: str, other: str) -> None:
    """Replace a text in the Lua scripts, in which it must be."""
    original = scripts._text  # the only place where all scripts are read
    assert any(text in original(*path) for path in [*((f"{each}.lua",) for each in scripts.SCRIPTS), *_steps()])
    scripts._text = lambda *path: original(*path).replace(text, other)


def _steps() -> list[tuple[str, str]]:
    return [("steps", f"{name}.lua") for name in scripts.STEPS]


def match_without_reservation() -> None:
    """A match reads that a slot is free, and occupies it only with the player's arrival: two matches may take one."""
    _replace_in_scripts("count_lease(s, spectator, 1)\n", "")
    _replace_in_scripts("count_lease(s, spectator, -1)", "")


def lost_release() -> None:
    """A lease that ends does not return its slot."""
    _replace_in_scripts("if s then count_lease(s, spectator, -1) end", "")


def skipped_replay() -> None:
    """A page that returns gets no message that it has missed."""
    from signalserver.core.continuity import Line

    resume = Line.resume

    def forgetful(line: Line, received: int) -> list[bytes] | None:
        return None if resume(line, received) is None else []

    Line.resume = forgetful  # type: ignore[method-assign,assignment]


def repeated_replay() -> None:
    """A page that returns gets the last message before its loss again."""
    from signalserver.core.continuity import Line

    resume = Line.resume

    def eager(line: Line, received: int) -> list[bytes] | None:
        last = list(line._kept)[:1] if line.acknowledged < received else []
        messages = resume(line, received)
        return None if messages is None else [*last, *messages]

    Line.resume = eager  # type: ignore[method-assign,assignment]


def forgotten_expiry() -> None:
    """A player that does not return keeps its slot."""
    from signalserver.core import absence
    from signalserver.core.roster import K
    from signalserver.core.state import State

    def nothing(state: State[K]) -> None:
        """Expire nothing."""

    absence.expire = nothing


def forgotten_server() -> None:
    """A signalling server that no longer reports stays in the store."""
    _replace_in_scripts("elseif kind == 'v:' then drop_server(name)", "elseif kind == 'v:' then local _ = name")


MUTANTS: Final[Mapping[str, Callable[[], None]]] = {
    "match-without-reservation": match_without_reservation,
    "lost-release": lost_release,
    "skipped-replay": skipped_replay,
    "repeated-replay": repeated_replay,
    "forgotten-expiry": forgotten_expiry,
    "forgotten-server": forgotten_server,
}


def set_clock(ahead: float) -> None:
    """Move the wall clock of this process, for what reads `time.time` and for the expiry of tokens."""
    seconds, nanoseconds = time.time, time.time_ns

    class Shifted(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return super().now(tz) + datetime.timedelta(seconds=ahead)

    time.time = lambda: seconds() + ahead
    time.time_ns = lambda: nanoseconds() + round(ahead * 1e9)
    jwt.api_jwt.datetime = Shifted  # type: ignore[attr-defined]


if __name__ == "__main__":
    mutant, clock, *arguments = sys.argv[1:]
    if mutant:
        MUTANTS[mutant]()
    if float(clock):
        set_clock(float(clock))
    sys.exit(main(arguments))
