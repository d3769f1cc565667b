"""The sessions on the streamers of one server, and the check for a free slot. No clock, no I/O.

The signalling server makes the final decision: it refuses a player whose slot is occupied, whatever the store leased.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Generic

from signalserver.core.roster import Admission, K, Subscriber

REFUSED_SECONDS: Final = 3600.0
"""An ended session is refused for this time: the token of a matchmaker whose clock is ahead is valid for longer than
its lifetime."""

MAX_REFUSED: Final = 10_000
"""Ended sessions that are remembered; for a further one, the oldest is forgotten."""


@dataclass(slots=True)
class StreamerSessions:
    """The ids of one streamer's sessions; only `sessions` occupy slots, `spectators` has all others."""

    sessions: list[str] = field(default_factory=list)
    spectators: list[str] = field(default_factory=list)
    guests: list[str] = field(default_factory=list)
    """Those of both that are guests of a host."""


class Sessions(Generic[K]):
    """The sessions of one server: the present ones by streamer, and those that ended since the last report."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._seen: set[str] = set()
        self._refused: dict[str, float] = {}
        """Ended sessions, and the times until which they are refused, in the order of their ends."""
        self.by_streamer: dict[str, StreamerSessions] = {}
        """The present sessions by endpoint id."""

    def update(self, players: Iterable[Subscriber[K]]) -> None:
        """Recompute `by_streamer`: players with a lease count once connected, others once subscribed."""
        self.by_streamer = {}
        for player in players:
            admission = player.admission
            if admission is not None:
                self._count(admission, takes_slot=not player.shares)
                if player.guest:
                    self._of(admission.endpoint_id).guests.append(admission.session_id)
            elif player.subscribed_to is not None:
                self._of(player.subscribed_to.endpoint_id).sessions.append(direct_session(player.player_id))

    def add_admitted(self, admissions: Iterable[Admission | None]) -> None:
        """Add the sessions of admitted players that are not in the roster yet."""
        for admission in admissions:
            if admission is not None:
                self._count(admission, takes_slot=admission.takes_slot)

    def admits(self, admission: Admission) -> bool:
        """Return whether a player may connect: its session has no other player, and its streamer has a free slot."""
        present = self.by_streamer.get(admission.endpoint_id, StreamerSessions())
        if admission.session_id in present.sessions or admission.session_id in present.spectators:
            return False
        return not admission.takes_slot or not self._capacity or len(present.sessions) < self._capacity

    def expect(self, session_id: str) -> None:
        """Report a session as ended unless it is present at the next report: its player may be turned away."""
        self._seen.add(session_id)

    def refuse(self, session_id: str, now: float) -> None:
        """Refuse a session from `now` on, in seconds, for REFUSED_SECONDS: an operator ended it."""
        self._refused.pop(session_id, None)
        while self._refused and (len(self._refused) >= MAX_REFUSED or next(iter(self._refused.values())) <= now):
            del self._refused[next(iter(self._refused))]
        self._refused[session_id] = now + REFUSED_SECONDS

    def refuses(self, session_id: str, now: float) -> bool:
        """Return whether a session has been ended by an operator."""
        return self._refused.get(session_id, now) > now

    def ended(self) -> tuple[str, ...]:
        """Return the ids of the sessions that ended and are not reported yet, sorted."""
        streamers = self.by_streamer.values()
        present = {name for streamer in streamers for name in (*streamer.sessions, *streamer.spectators)}
        return tuple(sorted(self._seen - present))

    def reported(self, ended: Iterable[str]) -> None:
        """Remove ended sessions that the store has accepted."""
        self._seen.difference_update(ended)

    def _count(self, admission: Admission, *, takes_slot: bool) -> None:
        streamer = self.by_streamer.get(admission.endpoint_id) or self._of(admission.endpoint_id)
        (streamer.sessions if takes_slot else streamer.spectators).append(admission.session_id)
        self._seen.add(admission.session_id)

    def _of(self, endpoint_id: str) -> StreamerSessions:
        found = self.by_streamer.get(endpoint_id)
        if found is None:
            found = self.by_streamer[endpoint_id] = StreamerSessions()
        return found


def direct_session(player_id: str) -> str:
    """Return the session id of a player without a session token."""
    return f"direct-{player_id}"
