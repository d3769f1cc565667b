"""What a server says of itself, or somebody else of a stock one."""

from pixelfleet.fleet.book.endings import EXPIRY, drop_streamer, finish, know_replica
from pixelfleet.fleet.book.matching import serve, settle
from pixelfleet.fleet.book.slots import put_in
from pixelfleet.fleet.book.state import Server, State, discard
from pixelfleet.fleet.book.tickets import dequeue, forget, unassign
from pixelfleet.fleet.model import LeaseState, Reported, ServerReport, StreamerReport, selector_of


def report(state: State, said: ServerReport) -> Reported:
    """Replace what is known of one server's streamers."""
    name, known = said.server_id, state.servers.get(said.server_id)
    fence = said.fence
    if said.owner and not fence:
        fence = state.now if known is None else max(state.now, known.fence + 1)
    elif known is not None and (fence, said.sequence) <= (known.fence, known.sequence):
        return Reported(taken=False, fence=known.fence)
    _speaks(state, said, known, fence)
    freed = _ended(state, said)
    server = state.servers[name]
    if server.streamers != said.streamers:
        stays = {each.key for each in said.streamers}
        for each in server.streamers or ():
            if each.key not in stays:
                drop_streamer(state, each.key)
        for each in said.streamers:
            _take(state, each, freed)
        server.streamers = said.streamers
        for each in said.streamers:
            serve(state, each.key)
    for key in freed:
        serve(state, key)
    settle(state)
    end = () if said.owner else tuple(sorted(state.to_end.pop(f"server:{name}", ())))
    return Reported(taken=True, fence=fence, end=end)


def _speaks(state: State, said: ServerReport, known: Server | None, fence: int) -> None:
    name = said.server_id
    if known is None:
        state.servers[name] = Server(said.sequence, fence, said.owner)
    else:
        if known.owner != said.owner:
            discard(state.links, known.owner, name)
        known.sequence, known.fence, known.owner = said.sequence, fence, said.owner
    if said.owner:
        state.due.drop(f"v:{name}")
        state.links.setdefault(said.owner, set()).add(name)
        know_replica(state, said.owner)
    else:
        state.due.put(f"v:{name}", state.now + EXPIRY)


def _ended(state: State, said: ServerReport) -> list[str]:
    """End the sessions that came and went between two reports; return the streamers that this has freed."""
    freed = []
    for session_id in said.ended:
        session = state.sessions.get(session_id)
        if session is None or session.state not in (LeaseState.MATCHED, LeaseState.CLAIMED):
            continue
        streamer = state.streamers.get(session.key)
        if streamer is not None and streamer.report.server_id == said.server_id:
            unassign(state, session_id)
            finish(state, session_id)
            freed.append(session.key)
    return freed


def _take(state: State, report: StreamerReport, freed: list[str]) -> None:
    key, selector = report.key, selector_of(report.labels)
    streamer = state.streamers.get(key)
    before: tuple[str, ...] = ()
    players = 0
    if streamer is not None:
        old = streamer.report
        if (old.app, streamer.selector, old.node) == (report.app, selector, report.node):
            before, players = old.sessions, old.players if old.stock else len(old.sessions)
        else:
            drop_streamer(state, key)
            streamer = None
    if streamer is None:
        streamer = put_in(state, report, selector)
    streamer.report = report
    for session_id in streamer.held.difference(report.sessions, report.onlookers):
        streamer.held.discard(session_id)
        finish(state, session_id)
    strangers, arrived = report.players - players if report.stock else 0, False
    for session_id in report.sessions:
        is_known, is_new = _held_by(state, key, session_id, freed, shared=False)
        strangers += not is_known and session_id not in before
        arrived = arrived or is_new
    for session_id in report.onlookers:
        _held_by(state, key, session_id, freed, shared=True)
    _absorb_pages(state, key, strangers)
    if arrived:
        streamer.fails = 0
        streamer.failed_by.clear()


def _held_by(state: State, key: str, session_id: str, freed: list[str], *, shared: bool) -> tuple[bool, bool]:
    """A session that a server has is held from now on; return whether it is known, and whether that is new."""
    session = state.sessions.get(session_id)
    if session is None:
        return False, False
    same = session.state is LeaseState.HELD and session.key == key
    if same and session.shared == shared:
        return True, False
    if session.state is None:
        dequeue(state, session_id)
        session.since = state.now
    elif session.state is LeaseState.HELD:
        if not same and (other := state.streamers.get(session.key)) is not None:
            other.held.discard(session_id)
    else:
        unassign(state, session_id)
        if session.key != key:
            freed.append(session.key)
    session.state, session.key, session.deadline, session.shared = LeaseState.HELD, key, 0, shared
    state.streamers[key].held.add(session_id)
    discard(state.of_replica, session.replica, session_id)
    return True, not same


def _absorb_pages(state: State, key: str, strangers: int) -> None:
    """A page that was offered a streamer and dialled it comes as a player that nobody announced: as many leases of
    pages as such players have come have done their work, the first ones first.
    """
    if strangers <= 0:
        return
    pages = [each for each in state.leased.get(key, ()) if not state.sessions[each].replica]
    for session_id in sorted(pages, key=lambda each: state.sessions[each].arrived)[:strangers]:
        unassign(state, session_id)
        forget(state, session_id)
