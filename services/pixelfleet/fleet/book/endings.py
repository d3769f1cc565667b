"""What ends: sessions, streamers, servers and replicas, and what lapses by itself."""

from itertools import islice
from typing import Final

from pixelfleet.fleet.book.matching import catch_up, serve, settle
from pixelfleet.fleet.book.slots import drop_app, take_out
from pixelfleet.fleet.book.state import ENDS_AFTER_CUT, KEPT_ENDS, State, discard, micros
from pixelfleet.fleet.book.tickets import back, dequeue, forget, unassign
from pixelfleet.fleet.model import EXPIRY_SECONDS, LeaseState

DUE_AT_ONCE: Final = 32
SESSIONS_AT_ONCE: Final = 500
SERVERS_AT_ONCE: Final = 100
EXPIRY: Final = micros(EXPIRY_SECONDS)


def count_end(state: State, app: str) -> None:
    """Note that a session of an app has ended."""
    if app not in state.apps:
        return
    ends = state.apps[app].ends
    ends.appendleft(state.now)
    if len(ends) > KEPT_ENDS:
        while len(ends) > ENDS_AFTER_CUT:
            ends.pop()


def finish(state: State, session_id: str) -> None:
    """A session that a server held is over."""
    session = state.sessions.get(session_id)
    if session is None:
        return
    if not session.shared:
        count_end(state, session.ticket.app)
    forget(state, session_id)


def leave(state: State, session_id: str) -> None:
    """Take a session out, whatever its state. A session that a server holds is that server's to end."""
    session = state.sessions.get(session_id)
    if session is None:
        return
    if session.state is None:
        dequeue(state, session_id)
        forget(state, session_id)
    elif session.state is not LeaseState.HELD:
        unassign(state, session_id)
        if session.state is LeaseState.CLAIMED and not session.deadline and not session.shared:
            count_end(state, session.ticket.app)
        forget(state, session_id)
        serve(state, session.key)


def drop_streamer(state: State, key: str) -> None:
    """Know a streamer no more.

    Who was promised it waits again, but for those who are with a stock one: their replica relays them, and says when
    that ends.
    """
    streamer = take_out(state, key)
    if streamer is None:
        return
    for session_id in list(state.leased.get(key, ())):
        session = state.sessions[session_id]
        if session.deadline:
            back(state, session_id)
        else:
            session.orphan = streamer.report
    for session_id in streamer.held:
        finish(state, session_id)


def drop_server(state: State, server_id: str) -> None:
    """Nobody speaks for a server any more."""
    server = state.servers.pop(server_id, None)
    if server is None:
        return
    for report in server.streamers or ():
        drop_streamer(state, report.key)
    discard(state.links, server.owner, server_id)
    state.due.drop(f"v:{server_id}")
    state.to_end.pop(f"server:{server_id}", None)
    settle(state)


def drop_replica(state: State, replica: str) -> None:
    """A replica is gone: what it held goes too, a part at a time so that no call takes long."""
    for session_id in list(islice(state.of_replica.get(replica, ()), SESSIONS_AT_ONCE)):
        leave(state, session_id)
    for server_id in list(islice(state.links.get(replica, ()), SERVERS_AT_ONCE)):
        drop_server(state, server_id)
    state.news.pop(replica, None)
    state.to_end.pop(f"replica:{replica}", None)
    if replica in state.of_replica or replica in state.links:
        state.due.put(f"r:{replica}", state.now)
    else:
        state.replicas.discard(replica)


def know_replica(state: State, replica: str) -> None:
    """A replica that does something is alive; one that has done nothing before has until then to say so again."""
    if replica not in state.replicas:
        state.replicas.add(replica)
        state.due.put(f"r:{replica}", state.now + EXPIRY)


def alive(state: State, replica: str) -> None:
    """A replica says that it is alive."""
    state.replicas.add(replica)
    state.due.put(f"r:{replica}", state.now + EXPIRY)


def lapse(state: State, session_id: str) -> None:
    """The deadline of a promise is over."""
    session = state.sessions.get(session_id)
    if session is not None and session.state in (LeaseState.MATCHED, LeaseState.CLAIMED):
        key = session.key
        back(state, session_id)
        serve(state, key)
        settle(state)


def expire(state: State, now: int) -> None:
    """Begin a call: what is over is over, whoever asks."""
    state.now, state.behind = now, False
    state.woken.clear()
    state.returned.clear()
    due: list[str] = []
    for at, what in state.due.pairs():
        if at > now or len(due) == DUE_AT_ONCE:
            break
        due.append(what)
    for what in due:
        at_now = state.due.rank(what)
        if at_now is not None and at_now <= now:  # what came before it in this loop may have put it off
            state.due.drop(what)
            _end(state, what[:2], what[2:])


def _end(state: State, kind: str, name: str) -> None:
    match kind:
        case "l:":
            lapse(state, name)
        case "v:":
            drop_server(state, name)
        case "r:":
            drop_replica(state, name)
        case "a:":
            serve(state, name)
        case "p:":
            drop_app(state, name)
        case "b:":
            state.held_back.discard(name)
        case _:
            catch_up(state)
