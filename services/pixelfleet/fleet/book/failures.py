"""Streamers that could not be reached are left alone for a growing time."""

from collections.abc import Mapping
from typing import Final

from pixelfleet.fleet.book.state import Session, State, micros
from pixelfleet.fleet.model import FIRST_ASIDE_SECONDS, LONGEST_ASIDE_SECONDS, MAX_AVOIDED

FIRST_ASIDE: Final = micros(FIRST_ASIDE_SECONDS)
LONGEST_ASIDE: Final = micros(LONGEST_ASIDE_SECONDS)
MOST_FAILURES: Final = 16
"""Further failures in a row make no difference."""


def note_failure(state: State, session: Session) -> None:
    """Leave a streamer alone, twice as long for each failure in a row: the session that failed to reach it does, and
    when two replicas, or all there are, failed to, everybody.

    What was noted lapses when nothing fails for twice the longest time.
    """
    key = session.key
    streamer = state.streamers.get(key)
    if streamer is None:
        return
    recent = any(until > state.now for until in streamer.failed_by.values())
    streamer.fails = min((streamer.fails if recent else 0) + 1, MOST_FAILURES)
    till = state.now + min(FIRST_ASIDE * 2 ** (streamer.fails - 1), LONGEST_ASIDE)
    streamer.failed_by = _noted(state, streamer.failed_by, session.replica, state.now + 2 * LONGEST_ASIDE)
    session.avoids = _noted(state, session.avoids, key, till)
    if len(streamer.failed_by) >= min(2, max(len(state.replicas), 1)):
        streamer.aside = till
        state.due.put(f"a:{key}", till)


def _noted(state: State, notes: Mapping[str, int], name: str, till: int) -> dict[str, int]:
    kept = {each: until for each, until in notes.items() if until > state.now and each != name}
    kept[name] = till
    return dict(list(kept.items())[-MAX_AVOIDED:])
