"""Which sessions the streamers of one server hold, and who may still come. No clock, no I/O.

The signalling server is the last arbiter: whatever a store promised, a slot that is taken is not given again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic

from signalserver.core.roster import Admission, K, Subscriber


@dataclass(slots=True)
class Held:
    """What one streamer holds."""

    sessions: list[str] = field(default_factory=list)
    spectators: list[str] = field(default_factory=list)


class Sessions(Generic[K]):
    """The sessions of one server: those that it holds, and those that have ended and were not reported yet."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._seen: set[str] = set()
        self.held: dict[str, Held] = {}

    def look(self, players: Iterable[Subscriber[K]]) -> None:
        """Take note of who is here: a leased player counts from its arrival, others once they are subscribed."""
        self.held = {}
        for player in players:
            admission = player.admission
            if admission is not None:
                self._count(admission)
            elif player.subscribed_to is not None:
                self._of(player.subscribed_to.endpoint_id).sessions.append(f"direct-{player.player_id}")

    def look_also(self, admissions: Iterable[Admission | None]) -> None:
        """Count players that were let in and are not here yet."""
        for admission in admissions:
            if admission is not None:
                self._count(admission)

    def admits(self, admission: Admission) -> bool:
        """Tell whether a player may come: its session is not here yet, and its streamer has a slot for it."""
        held = self.held.get(admission.endpoint_id, Held())
        if admission.session_id in held.sessions or admission.session_id in held.spectators:
            return False
        return admission.spectator or not self._capacity or len(held.sessions) < self._capacity

    def ended(self) -> tuple[str, ...]:
        """Return the sessions that were here and are no more."""
        here = {name for held in self.held.values() for name in (*held.sessions, *held.spectators)}
        return tuple(sorted(self._seen - here))

    def reported(self, ended: Iterable[str]) -> None:
        """Forget sessions whose end has been heard."""
        self._seen.difference_update(ended)

    def _count(self, admission: Admission) -> None:
        held = self._of(admission.endpoint_id)
        (held.spectators if admission.spectator else held.sessions).append(admission.session_id)
        self._seen.add(admission.session_id)

    def _of(self, endpoint_id: str) -> Held:
        return self.held.setdefault(endpoint_id, Held())
