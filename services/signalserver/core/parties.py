"""The people of sessions: who is the host, who is invited, and what each may do. No I/O, no clock.

A session without invited people has no party. A party begins when the first invited player arrives, and ends with the
session of its host. Everything here is keyed by session ids, so that it outlasts new negotiations and absences.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from pixelfleet.protocol.people import Invite

MAX_VOID_INVITES: Final = 256
"""The void invites that a party remembers; for a further one, the oldest is forgotten."""


class Standing(Enum):
    """What a person is in a session. The values are fields of messages."""

    HOST = "host"
    """It holds the session, and decides about the others."""
    GUEST = "guest"
    """It may send input unless the host has muted it."""
    SPECTATOR = "spectator"
    """It may only watch."""


@dataclass(slots=True)
class Member:
    """One person of a party."""

    number: int
    """Its name in messages; unlike a session id it is no secret."""
    standing: Standing
    name: str = ""
    invite_id: str = ""
    """The invite that admitted it; empty for the first host."""
    muted: bool = False
    """Whether the host has taken its input away."""
    shares: bool = False
    """Whether it occupies no slot of the streamer."""

    @property
    def watches(self) -> bool:
        """Whether it may not send input."""
        return self.standing is Standing.SPECTATOR or self.muted


@dataclass(slots=True, eq=False)
class Party:
    """The people of one session, by the ids of their own sessions, in the order of their arrival."""

    members: dict[str, Member] = field(default_factory=dict)
    void: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_VOID_INVITES))
    """The ids of invites that admit nobody any more, because the host has removed their holder."""
    _numbers: int = 0

    @property
    def host(self) -> str:
        """The session id of the host."""
        return next(session for session, member in self.members.items() if member.standing is Standing.HOST)

    def add(self, session_id: str, standing: Standing, invite: Invite | None = None, *, shares: bool = False) -> Member:
        """Add a person and return it."""
        self._numbers += 1
        member = Member(self._numbers, standing, shares=shares)
        if invite is not None:
            member.name, member.invite_id = invite.name, invite.id
        self.members[session_id] = member
        return member

    def find(self, number: int) -> tuple[str, Member] | None:
        """Return the session id and the data of the person with a number, or None."""
        return next((each for each in self.members.items() if each[1].number == number), None)

    def revoke(self, member: Member) -> None:
        """Let the invite of a person admit nobody any more."""
        if member.invite_id and member.invite_id not in self.void:
            self.void.append(member.invite_id)

    def hand_over(self, to: str) -> None:
        """Make another person the host; the former one becomes a guest. They exchange their slots."""
        former, next_host = self.members[self.host], self.members[to]
        former.standing, next_host.standing = Standing.GUEST, Standing.HOST
        former.muted = next_host.muted = False
        former.shares, next_host.shares = next_host.shares, former.shares


class Parties:
    """The parties of one server."""

    def __init__(self) -> None:
        self._by_session: dict[str, Party] = {}

    def __bool__(self) -> bool:
        return bool(self._by_session)

    def __iter__(self) -> Iterator[Party]:
        """Iterate over the parties, each once."""
        return iter(list(dict.fromkeys(self._by_session.values())))

    def of(self, session_id: str) -> Party | None:
        """Return the party of a session, the host's or an invited person's; None if it has none."""
        return self._by_session.get(session_id)

    def member(self, session_id: str) -> Member | None:
        """Return the person with a session; None if it belongs to no party."""
        party = self._by_session.get(session_id)
        return party.members[session_id] if party is not None else None

    def open(self, host: str) -> Party:
        """Return the party of a session, which begins now with its host unless it has one."""
        party = self._by_session.get(host)
        if party is None:
            party = Party()
            party.add(host, Standing.HOST)
            self._by_session[host] = party
        return party

    def enter(self, party: Party, session_id: str, invite: Invite, *, shares: bool) -> Member:
        """Add an invited person to a party."""
        self._by_session[session_id] = party
        return party.add(session_id, Standing(invite.role), invite, shares=shares)

    def leave(self, session_id: str) -> Party | None:
        """Remove a person; return its party if the person was the host, so that the party has ended."""
        party = self._by_session.pop(session_id, None)
        if party is None:
            return None
        member = party.members.pop(session_id)
        if member.standing is not Standing.HOST:
            return None
        for other in party.members:
            self._by_session.pop(other, None)
        return party
