"""Who gets which streamer. Whoever can be matched is matched by the call that makes it possible."""

from itertools import islice
from typing import Final

from pixelfleet.fleet.book.slots import refresh, served
from pixelfleet.fleet.book.state import Session, State
from pixelfleet.fleet.book.tickets import assign, dequeue, lane_name
from pixelfleet.fleet.model import LOOK_AHEAD, LeaseState

LANES_AT_ONCE: Final = 64
PLACED_AT_ONCE: Final = 256
SERVED_AT_ONCE: Final = 64
"""What one call does at most: the next one goes on."""

LOOKS_ON: Final = 2
"""A ticket's `sharing` when it takes no slot."""

Choice = tuple[str, bool]
"""A streamer, and whether the player only looks on."""


def stays_behind(state: State) -> None:
    """Have the next call go on with what would take too long in this one."""
    state.behind = True
    state.due.put("e:", state.now)


# -- choices ---------------------------------------------------------------------------------------


def meant(state: State, app: str, wants: str) -> str:
    """Return the streamer of a session under way, if that is what is wanted; else what is wanted."""
    session = state.sessions.get(wants) if wants != "*" else None
    return session.key if session is not None and session.key and session.ticket.app == app else wants


def avoided(state: State, session: Session) -> set[str]:
    """Return the streamers that a session could not reach lately."""
    return {key for key, until in session.avoids.items() if until > state.now} if session.avoids else set()


def _best(state: State, app: str, selector: str, avoid: set[str]) -> str | None:
    index = state.apps[app].free.get(selector) if app in state.apps else None
    if not index:
        return None
    return next((key for _, key in index.pairs() if key not in avoid), None)


def choose(state: State, session: Session) -> Choice | None:
    """Find a streamer for a session."""
    app, wants, avoid = session.ticket.app, session.wants, avoided(state, session)
    sharing = session.ticket.sharing
    plays = sharing != LOOKS_ON
    if not wants or (wants == "*" and plays):
        key = _best(state, app, "" if wants else session.selector, avoid)
        if key is not None:
            return key, False
    shareable = None
    if wants == "*" and app in state.apps:
        ready = (key for _, key in islice(state.apps[app].ready.pairs(), LOOK_AHEAD))
        shareable = next((key for key in ready if state.streamers[key].aside <= state.now and key not in avoid), None)
    elif wants:
        for key in _named(state, app, wants):
            standing = refresh(state, key)
            if standing is None or not standing.open or standing.streamer.report.app != app or key in avoid:
                continue
            if standing.free and plays:
                return key, False
            shareable = shareable or key
    return (shareable, True) if shareable is not None and sharing else None


def _named(state: State, app: str, wants: str) -> list[str]:
    name = meant(state, app, wants)
    if name in state.streamers:
        return [name]
    return sorted(state.apps[app].endpoints.get(name, ())) if app in state.apps else []


def place(state: State, session_id: str, to: LeaseState) -> bool:
    """Give a waiting session a streamer if there is one for it."""
    session = state.sessions.get(session_id)
    if session is None or session.state is not None:
        return False
    choice = choose(state, session)
    if choice is None:
        return False
    dequeue(state, session_id)
    assign(state, session_id, choice[0], to, shared=choice[1])
    return True


# -- who is next -----------------------------------------------------------------------------------


def _first_for(state: State, lane: str, key: str, *, free: bool) -> tuple[int, str] | None:
    """Return the first of a lane whom a streamer serves, after its rank."""
    if lane not in state.lanes:
        return None
    for rank, session_id in islice(state.lanes[lane].pairs(), LOOK_AHEAD):
        session = state.sessions[session_id]
        if (free or session.ticket.sharing) and session.avoids.get(key, 0) <= state.now:
            return rank, session_id
    return None


def serve(state: State, key: str) -> None:
    """Give a streamer that may have become free to those who have waited longest for what it is."""
    standing = refresh(state, key)
    if standing is None or not standing.open or not state.lanes:
        return
    report, free = standing.streamer.report, standing.free
    wanting = [lane_name(report.app, "", name) for name in (key, report.endpoint_id, "*")]
    lanes = wanting + [f"{report.app}\x1f{choice}" for choice in served(state.apps[report.app], standing.streamer)]
    for _ in range(SERVED_AT_ONCE):
        found = (_first_for(state, lane, key, free=free) for lane in (lanes if free else wanting))
        first = min((each for each in found if each is not None), default=None)
        if first is None:
            return
        dequeue(state, first[1])
        shared = not free or state.sessions[first[1]].ticket.sharing == LOOKS_ON
        is_open, still_free = assign(state, first[1], key, LeaseState.MATCHED, shared=shared)
        if not is_open:
            return
        free = still_free
    stays_behind(state)


def settle(state: State) -> None:
    """Those who wait again may find another streamer at once."""
    again, state.returned = state.returned, []
    known = [(state.sessions[each].rank, each) for each in again if each in state.sessions]
    for _, session_id in sorted(known):
        place(state, session_id, LeaseState.MATCHED)


def catch_up(state: State) -> None:
    """Place whoever can be placed, oldest first over many lanes: those who avoid a streamer no longer, and when a call
    before would have taken too long.
    """
    lanes = state.looked_at.first(LANES_AT_ONCE)
    heads: dict[str, tuple[int, str, int]] = {}

    def look(lane: str, at: int) -> None:
        waiting = state.lanes.get(lane)
        if waiting is not None and at < min(len(waiting), LOOK_AHEAD):
            heads[lane] = (*waiting.at(at), at)
        else:
            heads.pop(lane, None)

    for lane in lanes:
        look(lane, 0)
    for _ in range(PLACED_AT_ONCE):
        if not heads:
            if len(lanes) == LANES_AT_ONCE:
                for lane in lanes:
                    if lane in state.lanes:
                        state.looked_at.put(lane, state.now)
            return
        lane = min(heads, key=lambda each: heads[each])
        _, session_id, at = heads[lane]
        if place(state, session_id, LeaseState.MATCHED):
            look(lane, at)
        elif _is_hopeless(state, session_id):
            del heads[lane]
        else:
            look(lane, at + 1)
    stays_behind(state)


def _is_hopeless(state: State, session_id: str) -> bool:
    """Whether nobody behind a session can be placed either."""
    session = state.sessions[session_id]
    return not session.wants and not avoided(state, session)
