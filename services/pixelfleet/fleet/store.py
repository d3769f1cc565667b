"""The one interface of the fleet store."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pixelfleet.fleet.model import (
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


class StoreUnavailableError(ConnectionError):
    """The store cannot be reached right now; what was asked for did not happen, or is not known to have."""


class TooManyChoicesError(ValueError):
    """The players of this app already wait for so many different choices of labels that no new one is taken."""


Placed = Lease | Waiting
"""What becomes of a ticket: a streamer at once, or a place in the queue."""


class FleetStore(Protocol):
    """Streamers, tickets and leases. Every method but `snapshot` is atomic, and may be repeated when its answer was
    lost; all times are the store's own clock, in seconds.

    Whoever waits is matched by the call that makes a match possible: a join, a report, a leave. What was matched for
    another replica's ticket is announced to it.

    Any method may raise StoreUnavailableError.
    """

    # -- for owners of streamers --------------------------------------------------------------------

    async def report(self, report: ServerReport) -> Reported:
        """Replace what is known of one server's streamers; an older report changes nothing.

        A server's own report holds for EXPIRY_SECONDS, one by an owner as long as that replica is alive. A lease of a
        reported session is held from then on; a held session that is no longer reported has ended.
        """

    # -- for matchmaker replicas --------------------------------------------------------------------

    async def renew(self, replica_id: str, known_epoch: str) -> Renewal:
        """Say that a replica and all its sessions are alive; claim what was matched for it.

        `known_epoch` is the epoch of the last answer, or empty at the start.
        """

    async def join(self, ticket: Ticket) -> Placed:
        """Give a ticket a streamer, claimed at once, or a place in its queue; one that has either keeps it.

        A session that is known already is from then on this replica's. Where the ticket wants a session under way,
        the ticket of the answer wants that session's streamer. Raises TooManyChoicesError.
        """

    async def leave(self, *session_ids: str, replica_id: str = "") -> None:
        """Take sessions out, one after the other: a ticket, or a lease as long as no server has reported it.

        For a stock server that is the end of a session, to be told when its socket is closed. With a replica, only
        while a session is that replica's: its player may have come back through another one.
        """

    async def give_back(self, session_id: str, streamer: str = "", *, unreachable: bool) -> Placed | None:
        """Return a claimed lease; the ticket goes back to its old place, or gets another streamer at once.

        `streamer` is the key of the lease's: what the session was given since then is not returned. `unreachable` says
        that the dial failed: the ticket avoids this streamer for a growing time, and when two replicas (or all there
        are) have said so, nobody is sent there. None when the lease had lapsed and its ticket is not known any more.
        """

    async def reserve(self, ticket: Ticket) -> Lease | None:
        """Lease a free streamer, for PAGE_ARRIVAL_SECONDS, to a page that dials by itself; None when none is free."""

    async def restore(
        self,
        replica_id: str,
        tickets: Sequence[tuple[Ticket, float]],
        leases: Sequence[tuple[Ticket, Lease]],
        unsettled: Sequence[str] = (),
        operator_drained: Sequence[str] = (),
    ) -> None:
        """Make a replica's sessions exactly these: tickets with their arrival, and leases.

        What the store does not know it takes over, what it knows beyond these it drops. Sessions that are unsettled,
        because an answer about them is awaited or was lost, stay as they are. `operator_drained` restores
        operator drains in a store that is warming up; one that is not has lost nothing.
        """

    async def set_policies(self, policies: Mapping[str, Policy]) -> None:
        """Say how free streamers are chosen, by app; the last word counts. An app that is not named has `spread`."""

    async def wait(self, replica_id: str, timeout: float) -> bool:  # noqa: ASYNC109 - nothing new is not an error
        """Wait until something was matched for a replica, at most `timeout` seconds; False when the time is over.

        A hint that saves time: whoever misses one finds its lease with the next `renew`.
        """

    # -- for operators and numbers ------------------------------------------------------------------

    async def set_operator_drain(self, key: str, on: bool) -> bool:
        """Match nobody to a streamer any more, or do again; False when it is not known."""

    async def end(self, session_id: str) -> bool:
        """Have whoever holds a session end it, with its owner's next heartbeat; False when it is not known."""

    async def lanes(self, names: Sequence[str]) -> list[LaneView]:
        """Return what players are told of these queues, in the order asked for; an empty queue has length 0."""

    async def totals(self) -> Totals:
        """Return the fleet in numbers."""

    async def snapshot(self) -> FleetSnapshot:
        """Return all that the store knows."""

    async def redeem(self, name: str, until: float) -> bool:
        """Use something up that may be used once; False when it was used before.

        `until` is the unix time up to which that must be remembered.
        """

    async def find(self, streamer: str) -> StreamerView | None:
        """Return one streamer by its key, or by an endpoint id that only one streamer has."""


def lane_of(ticket: Ticket) -> str:
    """Return the queue that a ticket waits in: one for each app and each thing that players want of it."""
    return f"{ticket.app}\x1f={ticket.wants}" if ticket.wants else f"{ticket.app}\x1f{ticket.selector}"
