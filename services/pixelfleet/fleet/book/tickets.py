"""The steps that become of a ticket: it waits, is promised something, claims it, waits again, is forgotten."""

from typing import Final

from pixelfleet.fleet.book.ranked import Ranked
from pixelfleet.fleet.book.slots import app_of, know_choice, refresh
from pixelfleet.fleet.book.state import Session, State, discard, micros
from pixelfleet.fleet.model import ARRIVAL_SECONDS, CLAIM_SECONDS, LeaseState, Ticket, rank_offset

CLAIM: Final = micros(CLAIM_SECONDS)
ARRIVAL: Final = micros(ARRIVAL_SECONDS)


def lane_name(app: str, selector: str, wants: str) -> str:
    """Return the lane of those who want the same of one app."""
    return f"{app}\x1f={wants}" if wants else f"{app}\x1f{selector}"


def session_of(ticket: Ticket, replica_id: str, wants: str, arrived: int) -> Session:
    """Return a ticket as the book has it; `wants` is what it was found to mean."""
    lane = lane_name(ticket.app, ticket.selector, wants)
    return Session(ticket, replica_id, wants, lane, rank_offset(ticket.priority) + arrived, arrived)


def enqueue(state: State, session_id: str) -> None:
    """Have a session wait, at the place that its rank gives it."""
    session = state.sessions[session_id]
    session.state, session.key, session.deadline = None, "", 0
    lane = state.lanes.get(session.lane)
    if lane is None:
        lane = state.lanes[session.lane] = Ranked()
        state.looked_at.put(session.lane, state.now)
    lane.put(session_id, session.rank)
    app_of(state, session.ticket.app).waiting.put(session_id, session.arrived)


def dequeue(state: State, session_id: str) -> None:
    """Have a session wait no more."""
    session = state.sessions[session_id]
    lane = state.lanes[session.lane]
    lane.drop(session_id)
    state.apps[session.ticket.app].waiting.drop(session_id)
    if not lane:
        del state.lanes[session.lane]
        state.looked_at.drop(session.lane)


def announce(state: State, session_id: str, replica: str) -> None:
    """Tell a replica of a match."""
    state.news.setdefault(replica, {})[session_id] = None
    state.woken[replica] += 1


def heard(state: State, session_id: str, replica: str) -> None:
    """A replica has heard of a match."""
    if replica in state.news:
        state.news[replica].pop(session_id, None)
    if state.woken[replica] > 0:
        state.woken[replica] -= 1


def assign(
    state: State, session_id: str, key: str, to: LeaseState, *, shared: bool, arrival: int = 0
) -> tuple[bool, bool]:
    """Promise a slot, or leave to look on; return whether the streamer is still open, and free.

    The state is MATCHED when the ticket's replica must still hear of it, CLAIMED when it asked. `arrival` is how long
    a page that dials by itself has for that.
    """
    session, streamer = state.sessions[session_id], state.streamers[key]
    if shared:
        streamer.shared += 1
    else:
        streamer.live += 1
        streamer.used = state.now
    standing = refresh(state, key)
    assert standing is not None
    if to is LeaseState.MATCHED:
        deadline = state.now + CLAIM
        announce(state, session_id, session.replica)
    elif streamer.report.stock and not arrival:
        deadline = 0
    else:
        deadline = state.now + (arrival or ARRIVAL)
    session.state, session.key, session.shared, session.since, session.deadline = to, key, shared, state.now, deadline
    if deadline:
        state.due.put(f"l:{session_id}", deadline)
    state.leased.setdefault(key, set()).add(session_id)
    return standing.open, standing.free


def unassign(state: State, session_id: str) -> None:
    """Take a promise back."""
    session = state.sessions[session_id]
    state.due.drop(f"l:{session_id}")
    streamer = state.streamers.get(session.key)
    if discard(state.leased, session.key, session_id) and streamer is not None:
        if session.shared:
            streamer.shared -= 1
        else:
            streamer.live -= 1


def claim(state: State, session_id: str) -> None:
    """The replica of a matched session has heard of it: its player is on its way."""
    session = state.sessions[session_id]
    streamer = state.streamers.get(session.key)
    if streamer is not None and streamer.report.stock:
        session.deadline = 0
        state.due.drop(f"l:{session_id}")
    else:
        session.deadline = state.now + ARRIVAL
        state.due.put(f"l:{session_id}", session.deadline)
    session.state = LeaseState.CLAIMED


def back(state: State, session_id: str) -> None:
    """A promise came to nothing: its ticket waits again, in its old place."""
    unassign(state, session_id)
    session = state.sessions[session_id]
    if not session.replica:
        forget(state, session_id)
        return
    if not session.wants:
        know_choice(state, session.ticket.app, session.selector, taken_in=True)
    enqueue(state, session_id)
    state.returned.append(session_id)


def forget(state: State, session_id: str) -> None:
    """Know a session no more."""
    discard(state.of_replica, state.sessions[session_id].replica, session_id)
    del state.sessions[session_id]
