"""The interface of the fleet store."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pixelfleet.fleet.bounds import RECORDS_CHUNK
from pixelfleet.fleet.events import Position, StoredEvent, Turn, Turned
from pixelfleet.fleet.model import (
    AuditEvent,
    FleetSnapshot,
    LaneView,
    Lease,
    Policy,
    Renewal,
    Reported,
    ServerReport,
    StreamerView,
    Ticket,
    Totals,
    Waiting,
)
from pixelfleet.fleet.records import StoredRecord


class StoreUnavailableError(ConnectionError):
    """The store cannot be reached. The call may have been carried out or not."""


class StoreRefusedError(StoreUnavailableError):
    """The store refuses this client because of its password, its permissions, or the kind of the server.

    It continues until an operator changes a setting.
    """


class KickedError(ValueError):
    """An operator has kicked this person, who is refused for some time."""


class TicketRefusedError(ValueError):
    """The store refuses to queue a ticket; the text gives the reason."""


class TooManyChoicesError(TicketRefusedError):
    """The waiting tickets of this app have too many different selectors (MAX_SELECTORS)."""


class NothingServesError(TicketRefusedError):
    """No streamer serves the ticket, and none is expected."""


class TooManySessionsError(TicketRefusedError):
    """The person or its tenant has as many sessions as it may have."""


class NoMinutesError(TicketRefusedError):
    """The person or its tenant has used its minutes of the day."""


class PlaceLostError(TicketRefusedError):
    """The player returns to a place that is no longer kept."""


Placed = Lease | Waiting
"""The result of a join: a lease, or a place in the queue."""


class FleetStore(Protocol):
    """Streamers, tickets and leases.

    Every method except `snapshot`, `find` and `wait` is atomic; `restore` for each chunk of sessions. Every method may
    be repeated when its reply was lost, but `redeem` then returns False, and `add_audit` adds the event twice. All
    times are those of the store's clock, in seconds.

    Tickets are matched by the call that makes a match possible, such as a join, a report or a departure. Matches for
    tickets of other replicas are announced to them.

    Any method may raise StoreUnavailableError.
    """

    # -- for owners of streamers --------------------------------------------------------------------

    async def report(self, report: ServerReport) -> Reported:
        """Replace the stored streamers of one server; an old report changes nothing.

        A server's own report expires after EXPIRY_SECONDS, a report by an owner when that replica expires. A lease of
        a reported session becomes held; a held session that is no longer reported has ended.
        """

    # -- for matchmaker replicas --------------------------------------------------------------------

    async def renew(self, replica_id: str, known_epoch: str) -> Renewal:
        """Renew a replica and all its sessions; claim the leases that were matched for it.

        `known_epoch` is the epoch of the last renewal, or empty at the start.
        """

    async def join(self, ticket: Ticket, *, returns: bool = False) -> Placed:
        """Match a ticket with a free streamer and claim the lease, or add the ticket to its lane.

        A session that is stored already keeps its lease or place, and moves to this replica. If the ticket wants a
        running session, the ticket in the reply wants that session's streamer. An app that never had a streamer and
        is in no settings may have waiting tickets, up to MAX_UNKNOWN_APPS of them. A ticket that wants a session which
        no longer exists is refused.

        A player that `returns` gets the place that is kept for its session; PlaceLostError if there is none, and no
        ticket or lease either.

        Raises TicketRefusedError or KickedError.
        """

    async def seconds_left(self, ticket: Ticket) -> float | None:
        """Return how many seconds a session may last by the limits of its ticket; None without a limit of time."""

    async def leave(
        self, *session_ids: str, replica_id: str = "", may_return: bool = False, codes: Mapping[str, int] | None = None
    ) -> None:
        """Remove sessions in order: their tickets, or their leases that no server has reported.

        For a session on a legacy server this is its end: call it once the player's socket is closed. With a replica,
        only sessions of that replica are removed: a player may have returned through another one. With `may_return`
        the places of lost players are kept, for the time that their tickets request (`keeps_place`). An expired
        replica's sessions are removed in the same way. `codes` are the close codes of the players' connections by
        session, as far as they are known, for the records.
        """

    async def give_back(self, session_id: str, streamer: str = "", *, unreachable: bool) -> Placed | None:
        """Return a claimed lease; the ticket gets another streamer at once, or waits in its old place.

        `streamer` is the key of the lease's streamer; a lease on another one, given since, is not returned.
        `unreachable` means that the dial failed: the ticket excludes this streamer for a growing time. Failures of
        FAILED_REPLICAS replicas, or of the only one, quarantine it. Returns None for an unknown or held session.
        """

    async def reserve(self, ticket: Ticket) -> Lease | None:
        """Lease a free streamer to a page that dials it directly, for PAGE_ARRIVAL_SECONDS; None if none is free.

        Raises TicketRefusedError or KickedError.
        """

    async def restore(
        self,
        replica_id: str,
        tickets: Sequence[tuple[Ticket, float]],
        leases: Sequence[tuple[Ticket, Lease]],
        unsettled: Sequence[str] = (),
        operator_drained: Sequence[str] = (),
        *,
        complete: bool = True,
    ) -> None:
        """Replace a replica's sessions by its snapshot: tickets with their arrival, and leases.

        Missing sessions are added, also to a queue that has lost them. Others of this replica are dropped if the
        snapshot is `complete`. Sessions in `unsettled`, whose last reply
        is pending or lost, stay as they are. `operator_drained` has an effect only while the store recovers from a
        reset: otherwise it has lost no operator drain.
        """

    async def set_policies(self, policies: Mapping[str, Policy]) -> None:
        """Set the policy of each app in the settings, in place of all earlier ones. Others have `spread`."""

    async def wait(self, replica_id: str, timeout: float) -> bool:  # noqa: ASYNC109 - nothing new is not an error
        """Wait for an announcement of a match, at most `timeout` seconds; return False after that.

        Announcements only save time: after a lost one, the next `renew` returns the lease.
        """

    # -- for operators and numbers ------------------------------------------------------------------

    async def set_operator_drain(self, key: str, on: bool) -> bool:
        """Begin or end the operator drain of a streamer; return False for an unknown one."""

    async def end(self, session_id: str, *, server_id: str = "", kick_seconds: float = 0.0, operator: str = "") -> bool:
        """Request the end of a session with the next heartbeat of its owner; return False for an unknown one.

        `server_id` is a server whose report has the session: it is asked if the store has no ticket of the session.
        For `kick_seconds`, new tickets of the same person are refused with KickedError. The record of the session has
        the name of the `operator`.
        """

    async def add_audit(self, event: AuditEvent) -> None:
        """Add a change of an operator at the present time; only the latest AUDIT_EVENTS are kept."""

    async def audit(self) -> list[AuditEvent]:
        """Return the stored changes of operators, newest first."""

    async def extend(self, session_id: str, seconds: float, *, server_id: str = "") -> bool:
        """Request with the next heartbeat of its server that a session may last longer by `seconds`.

        Returns False for a session that no server holds. `server_id` is as for `end`.
        """

    async def keep_records(self, number: int, seconds: float) -> None:
        """Keep about this number of records of ended sessions from now on, and remove those older than `seconds`.

        With 0 no session is recorded, and all records are removed. The setting is lost with the store's data.
        """

    async def records(
        self, *, after: str = "", before: str = "", newest_first: bool = False, limit: int = RECORDS_CHUNK
    ) -> list[StoredRecord]:
        """Return up to `limit` records of ended sessions, in the order of their ends or in the opposite one.

        `after` and `before` limit them to those between two ids, both excluded. The id of a time is that time in
        milliseconds of unix time, with `-0` behind it.
        """

    async def count_records(self) -> int:
        """Return the number of records."""

    async def lanes(self, names: Sequence[str]) -> list[LaneView]:
        """Return the data for positions and estimates of these lanes, in the same order; an empty lane has length 0."""

    async def totals(self) -> Totals:
        """Return the numbers of the fleet. The cost depends on the known apps only: see `Totals`."""

    async def snapshot(self) -> FleetSnapshot:
        """Return the whole content of the store."""

    async def take_turn(self, turn: Turn) -> Turned:
        """Keep events on for EVENTS_LAST_SECONDS, and take, keep or give up the lead of a sender over a webhook.

        Only one sender has the lead. A webhook that is new to the store begins after the latest event; one whose
        position the store has lost with its data begins with the first event.
        """

    async def events(self, after: Position | None) -> list[StoredEvent]:
        """Return the next events after a position, at most BATCH; the latest one without a position.

        No event is written until a sender has taken a turn.
        """

    async def redeem(self, name: str, until: float) -> bool:
        """Redeem a name that may be used once; return False if it is redeemed already.

        `until` is the unix time until which the store must keep the name.
        """

    async def find(self, streamer: str) -> StreamerView | None:
        """Return one streamer by its key or by a unique endpoint id; None if there is none."""


def lane_of(ticket: Ticket) -> str:
    """Return the name of a ticket's lane, which consists of its app and its selector or wanted streamer."""
    return f"{ticket.app}\x1f={ticket.wants}" if ticket.wants else f"{ticket.app}\x1f{ticket.selector}"
