"""What replicas and the store know of each other is made one again."""

from collections.abc import Sequence

from pixelfleet.fleet.book.endings import alive, leave
from pixelfleet.fleet.book.matching import settle
from pixelfleet.fleet.book.slots import know_choice
from pixelfleet.fleet.book.state import State, discard, micros
from pixelfleet.fleet.book.tickets import ARRIVAL, CLAIM, announce, assign, claim, dequeue, enqueue, heard, session_of
from pixelfleet.fleet.model import Lease, LeaseState, Ticket


def restore(
    state: State,
    replica_id: str,
    tickets: Sequence[tuple[Ticket, float]],
    leases: Sequence[tuple[Ticket, Lease]],
    unsettled: Sequence[str],
) -> None:
    """Make a replica's sessions exactly these."""
    alive(state, replica_id)
    said = set(unsettled)
    for ticket, arrived in tickets:
        said.add(ticket.session_id)
        _restore(state, ticket, arrived, replica_id, None)
    for ticket, lease in leases:
        said.add(ticket.session_id)
        _restore(state, ticket, lease.arrived, replica_id, lease)
    for session_id in sorted(state.of_replica.get(replica_id, set()) - said):
        leave(state, session_id)
    settle(state)


def _restore(state: State, ticket: Ticket, arrived: float, replica_id: str, lease: Lease | None) -> None:
    session_id = ticket.session_id
    session = state.sessions.get(session_id)
    if session is None:
        session = state.sessions[session_id] = session_of(ticket, replica_id, ticket.wants, micros(arrived))
        state.of_replica.setdefault(replica_id, set()).add(session_id)
        if not ticket.wants:
            know_choice(state, ticket.app, ticket.selector, taken_in=True)
        state.last = max(state.last, session.arrived)
        if lease is None:
            enqueue(state, session_id)
            state.returned.append(session_id)
        else:
            _restore_lease(state, session_id, lease)
    elif session.replica != replica_id:
        return
    elif session.state is LeaseState.CLAIMED and lease is None:
        # It was claimed by an answer that was lost.
        session.state, session.deadline = LeaseState.MATCHED, state.now + CLAIM
        state.due.put(f"l:{session_id}", session.deadline)
        announce(state, session_id, replica_id)
    elif session.state is LeaseState.MATCHED and lease is not None and lease.streamer.key == session.key:
        heard(state, session_id, replica_id)
        claim(state, session_id)
    elif session.state is None and lease is not None and lease.streamer.stock:
        dequeue(state, session_id)
        _restore_lease(state, session_id, lease)


def _restore_lease(state: State, session_id: str, lease: Lease) -> None:
    session, key = state.sessions[session_id], lease.streamer.key
    streamer = state.streamers.get(key)
    if streamer is not None and session_id in (*streamer.report.sessions, *streamer.report.onlookers):
        session.state, session.key, session.shared = LeaseState.HELD, key, lease.shared
        session.since, session.deadline = state.now, 0
        streamer.held.add(session_id)
        discard(state.of_replica, session.replica, session_id)
    elif streamer is not None:
        assign(state, session_id, key, LeaseState.CLAIMED, shared=lease.shared)
    else:
        # Its server has not reported yet: the lease waits for it under the streamer's name.
        session.state, session.key, session.shared = LeaseState.CLAIMED, key, lease.shared
        session.since = state.now
        session.deadline = 0 if lease.streamer.stock else state.now + ARRIVAL
        session.orphan = lease.streamer
        if session.deadline:
            state.due.put(f"l:{session_id}", session.deadline)
        state.leased.setdefault(key, set()).add(session_id)
