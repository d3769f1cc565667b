"""What can be seen of the book of the fleet."""

import math

from pixelfleet.fleet.book.ranked import Ranked
from pixelfleet.fleet.book.state import App, State, Streamer, micros
from pixelfleet.fleet.model import (
    EXACT_POSITIONS,
    UNUSED_SECONDS,
    AppTotals,
    FleetSnapshot,
    LaneView,
    StreamerView,
    Totals,
)


def lane(state: State, name: str) -> LaneView:
    """Return what players are told of a queue."""
    waiting = state.lanes.get(name) or Ranked()
    length, marks, at = len(waiting), [], EXACT_POSITIONS
    while at < length - 1:
        marks.append((float(waiting.at(at)[0]), at + 1))
        at = max(at + 1, math.floor(at * 1.25))
    if length > EXACT_POSITIONS:
        marks.append((float(waiting.at(length - 1)[0]), length))
    return LaneView(
        lane=name,
        length=length,
        head=tuple(waiting.first(EXACT_POSITIONS)),
        marks=tuple(marks),
        ends_per_second=_ends_per_second(state, name.partition("\x1f")[0]),
    )


def _ends_per_second(state: State, app: str) -> float:
    ends = state.apps[app].ends if app in state.apps else ()
    if not ends or state.now - ends[0] >= micros(UNUSED_SECONDS) or state.now == ends[-1]:
        return 0.0
    return len(ends) / ((state.now - ends[-1]) / 1e6)


def totals(state: State) -> Totals:
    """Return the fleet in numbers."""
    apps = {name: _app_totals(state, app) for name, app in sorted(state.apps.items())}
    return Totals(now=state.now / 1e6, young=False, apps=apps)


def _app_totals(state: State, app: App) -> AppTotals:
    streamers, slots, unlimited, used, aside = app.totals
    oldest = app.waiting.lowest()
    return AppTotals(
        streamers=streamers,
        slots=math.inf if unlimited else slots,
        used=used,
        available=len(app.free[""]),
        waiting=len(app.waiting),
        aside=aside,
        oldest_wait=0.0 if oldest is None else max(0.0, (state.now - oldest) / 1e6),
    )


def snapshot(state: State) -> FleetSnapshot:
    """Return all that is known."""
    leases = filter(None, (state.lease_of(each) for each in state.sessions))
    queue = (each.waiting() for each in state.sessions.values() if each.state is None)
    return FleetSnapshot(
        now=state.now / 1e6,
        streamers=tuple(_streamer(each) for _, each in sorted(state.streamers.items())),
        leases=tuple(sorted(leases, key=lambda each: (each.since, each.session_id))),
        queue=tuple(sorted(queue, key=lambda each: (each.rank, each.ticket.session_id))),
    )


def find(state: State, name: str) -> StreamerView | None:
    """Return one streamer by its key, or by an endpoint id that only one streamer has."""
    if name in state.streamers:
        return _streamer(state.streamers[name])
    keys = [key for app in state.apps.values() for key in app.endpoints.get(name, ())]
    return _streamer(state.streamers[keys[0]]) if len(keys) == 1 else None


def _streamer(streamer: Streamer) -> StreamerView:
    return StreamerView(
        report=streamer.report,
        seen=streamer.seen / 1e6,
        used=streamer.used / 1e6,
        promised=streamer.live,
        held_back=streamer.held_back,
        aside_until=streamer.aside / 1e6,
        failures=streamer.fails,
    )
