"""What a server knows about its sessions, for the records of the fleet store: from the connection to the end.

Only what has changed since the last accepted report is reported, so that a session without news costs nothing. The
values that a page reports are limited, and otherwise unverified.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from pixelfleet.fleet.records import NO_FACTS, PLAYER, End, SessionFacts, end_of
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.endings import Ending

MAX_UNREPORTED: Final = 10_000
"""Ended sessions whose facts the store has not accepted; for a further one, those of the oldest are dropped."""

SAME_END_SECONDS: Final = 2.0
"""The end of a limited session is reported again when it has moved by more than this."""

PATHS: Final = {"host": "direct", "reflexive": "direct", "relayed": "relayed"}
"""The paths in records by the kinds that pages report."""


@dataclass(slots=True)
class Entry:
    """One session that has not ended."""

    began: float
    facts: SessionFacts = NO_FACTS
    away_since: float | None = None
    kicked_by: str = ""
    """Who has removed its player: `operator`, or `player` for the host of a session; empty for nobody."""


class Ledger:
    """The facts of the sessions of one server. Times are in seconds on the caller's clock, unless stated otherwise."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._changed: dict[str, SessionFacts] = {}

    def begin(self, session: str, now: float) -> None:
        """Begin a session, unless it is a further negotiation of one."""
        if session not in self._entries:
            self._entries[session] = Entry(now)

    def negotiated_again(self, session: str, renewed: str, now: float) -> None:
        """Record that a page has begun a new negotiation. The session of a player without a token has a new name."""
        if renewed != session and (entry := self._entries.pop(session, None)) is not None:
            self._entries[renewed] = entry
            self._changed.pop(session, None)
        self.resumed(renewed, now)

    def away(self, session: str, now: float) -> None:
        """Record that the player of a session has no connection."""
        if (entry := self._entries.get(session)) is not None and entry.away_since is None:
            entry.away_since = now

    def resumed(self, session: str, now: float) -> None:
        """Record that a page has returned to its session."""
        entry = self._entries.get(session)
        if entry is not None:
            away = _away(entry, now)
            entry.away_since = None
            self._change(session, entry, resumed=entry.facts.resumed + 1, away_seconds=away)

    def set_path(self, session: str, kind: str) -> None:
        """Record the kind of the ICE path of a session's video."""
        if kind in PATHS and (entry := self._entries.get(session)) is not None:
            self._change(session, entry, path=PATHS[kind])

    def set_first_frame(self, session: str, steps: Mapping[str, float]) -> None:
        """Record the seconds of each step to the first frame; a later negotiation does not change the first ones."""
        entry = self._entries.get(session)
        if entry is not None and not entry.facts.first_frame_seconds:
            rounded = {step: round(seconds, 3) for step, seconds in steps.items()}
            self._change(session, entry, first_frame_seconds=rounded)

    def set_playback(self, session: str, codec: str, stall: float) -> None:
        """Record the codec, and a time without a new picture, in seconds; an empty codec or a shorter one changes
        nothing.
        """
        entry = self._entries.get(session)
        if entry is not None:
            longest = max(entry.facts.longest_stall_seconds, round(stall, 1))
            self._change(session, entry, codec=codec or entry.facts.codec, longest_stall_seconds=longest)

    def set_end(self, session: str, ends_at: float | None) -> None:
        """Record the unix time at which a limit ends a session; None without a limit."""
        entry = self._entries.get(session)
        if entry is None:
            return
        known = entry.facts.ends_at
        if known is None or ends_at is None or abs(known - ends_at) > SAME_END_SECONDS:
            self._change(session, entry, ends_at=None if ends_at is None else round(ends_at))

    def kicked(self, session: str, by: str) -> None:
        """Record who ends a session by removing its player: `operator`, or `player` for the host."""
        if (entry := self._entries.get(session)) is not None:
            entry.kicked_by = by

    def end(self, session: str, now: float, code: int, left: Ending | None = None) -> None:
        """End a session. `code` is the close code of its player's connection.

        `left` is how the last connection of a player ended that has not returned in time.
        """
        entry = self._entries.pop(session, None)
        if entry is None:
            return
        end = end_of(code)
        if entry.kicked_by:
            end = End(close_codes.KICKED.label, entry.kicked_by)
        elif left is not None:
            end = End(left.value, PLAYER)
        self._change(
            session,
            entry,
            ends_at=None,
            away_seconds=_away(entry, now),
            played_seconds=round(now - entry.began, 3),
            ending=end.ending,
            by=end.by,
            code=code,
        )
        while len(self._changed) - len(self._entries) > MAX_UNREPORTED:
            del self._changed[next(iter(self._changed))]

    def end_all(self, now: float, code: int) -> None:
        """End all sessions: the server stops."""
        for session in list(self._entries):
            self.end(session, now, code)

    def changes(self) -> dict[str, SessionFacts]:
        """Return the facts of the sessions that have changed since the last accepted report."""
        return dict(self._changed)

    def reported(self, facts: Mapping[str, SessionFacts]) -> None:
        """Remove changes that the store has accepted."""
        for session, accepted in facts.items():
            if self._changed.get(session) is accepted:
                del self._changed[session]

    def _change(self, session: str, entry: Entry, **fields: object) -> None:
        changed = msgspec.structs.replace(entry.facts, **fields)
        if changed != entry.facts:
            entry.facts = self._changed[session] = changed


def _away(entry: Entry, now: float) -> float:
    """Return the seconds without a connection so far."""
    present = 0.0 if entry.away_since is None else now - entry.away_since
    return round(entry.facts.away_seconds + present, 3)
