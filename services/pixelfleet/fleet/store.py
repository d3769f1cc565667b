"""The one interface of the fleet store."""

from collections.abc import Sequence
from typing import Protocol

from pixelfleet.fleet.model import FleetSnapshot, Lease, StreamerReport, Ticket


class StoreUnavailableError(ConnectionError):
    """The store cannot be reached right now; what was asked for did not happen, or is not known to have."""


class FleetStore(Protocol):
    """Streamers, tickets and leases. Every method is atomic; all times are the store's own clock.

    Any method may raise StoreUnavailableError.
    """

    async def report(self, reports: Sequence[StreamerReport], *, server_id: str, sequence: int) -> None:
        """Replace what is known of one server's streamers; an older sequence than the last changes nothing.

        An empty list says that the server has no streamer. A report holds until its expiry.
        """

    async def join(self, ticket: Ticket) -> None:
        """Put a ticket at the end of its queue; a ticket that is there already keeps its place."""

    async def keep(self, replica_id: str) -> None:
        """Say that a replica and the sockets of its tickets are alive."""

    async def leave(self, session_id: str) -> None:
        """Take a ticket out of the queue and give back what was promised to it but not yet held."""

    async def match(self) -> None:
        """Promise free slots to the tickets that have waited longest."""

    async def leases_of(self, replica_id: str) -> list[Lease]:
        """Return the leases that were matched for a replica's tickets and that it has not yet claimed."""

    async def claim(self, session_id: str) -> Lease | None:
        """Say "mine": the player is still here and is being dialled. None when the lease has lapsed."""

    async def requeue(self, session_id: str) -> None:
        """Give a lease back and put its ticket at the head of its queue: the streamer could not be reached."""

    async def snapshot(self) -> FleetSnapshot:
        """Return all that the store knows."""

    async def changed(self, since: int, timeout: float) -> int:  # noqa: ASYNC109 - a quiet fleet is not an error
        """Wait until something has changed since the given count, at most `timeout` seconds; return the count.

        A hint that saves time: whoever misses one finds the change at its next slow tick.
        """
