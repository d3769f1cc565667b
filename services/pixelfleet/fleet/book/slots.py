"""Which streamers are free, and for whom: what follows from their facts is kept as they change, never searched for."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from pixelfleet.fleet.book.ranked import Ranked
from pixelfleet.fleet.book.state import NOTHING, Adds, App, State, Streamer, discard, micros, parts_of
from pixelfleet.fleet.model import MAX_SELECTORS, UNUSED_SECONDS, StreamerReport

CHOICE_USE: Final = micros(1.0)
"""How exactly it is known when a choice of labels was last used."""


class Standing(NamedTuple):
    """How a streamer stands: open is ready, not draining and not set aside."""

    streamer: Streamer
    open: bool
    free: bool


# -- apps and choices of labels ----------------------------------------------------------------------


def app_of(state: State, name: str) -> App:
    """Return an app, known from now on."""
    app = state.apps.get(name)
    if app is None:
        app = state.apps[name] = App()
        state.due.put(f"p:{name}", state.now + micros(UNUSED_SECONDS))
    return app


def drop_app(state: State, name: str) -> None:
    """Forget an app that nobody uses any more."""
    app = state.apps[name]
    if app.streamers or app.waiting:
        state.due.put(f"p:{name}", state.now + micros(UNUSED_SECONDS))
    else:
        del state.apps[name]


def know_choice(state: State, name: str, selector: str, *, taken_in: bool) -> bool:
    """Begin to keep the free streamers that serve a choice of labels; False when there is no room for it.

    The least used choice that nobody waits for makes room. Who has been taken in before gets it all the same.
    """
    if not selector:
        return True
    app = app_of(state, name)
    used = app.choices.rank(selector)
    if used is not None:
        if state.now - used > CHOICE_USE:
            app.choices.put(selector, state.now)
        return True
    if len(app.choices) >= MAX_SELECTORS and not taken_in:
        dropped = next((old for old in app.choices if f"{name}\x1f{old}" not in state.lanes), None)
        if dropped is None:
            return False
        app.choices.drop(dropped)
        del app.parts[dropped], app.free[dropped]
    app.choices.put(selector, state.now)
    wanted = app.parts[selector] = parts_of(selector)
    index = app.free.setdefault(selector, Ranked())
    for rank, key in app.free[""].pairs():
        if wanted <= state.streamers[key].labels:
            index.put(key, rank)
    return True


def served(app: App, streamer: Streamer) -> Iterator[str]:
    """Return the choices of labels that a streamer serves; the empty one, which asks for nothing, is always there."""
    yield ""
    labels = streamer.labels
    for selector, wanted in app.parts.items():
        if wanted <= labels:
            yield selector


# -- streamers -------------------------------------------------------------------------------------


def _set_free(app: App, key: str, streamer: Streamer, score: int | None) -> None:
    streamer.free = score
    for selector in served(app, streamer):
        if score is None:
            app.free[selector].drop(key)
        else:
            app.free[selector].put(key, score)


def _score(state: State, app: App, streamer: Streamer, taken: int) -> int:
    policy = state.policies.get(streamer.report.app, "spread")
    if policy == "oldest":
        return streamer.seen
    if policy == "spread":
        return streamer.used
    return -app.busy[streamer.report.node] if streamer.report.node else -taken


def _repack(state: State, app: App, report: StreamerReport, step: int) -> None:
    """The slots in use on a machine have changed: its other free streamers move in the order of the `pack` policy."""
    node = report.node
    if not node or not step:
        return
    app.busy[node] += step
    busy = app.busy[node]
    if not busy:
        del app.busy[node]
    if state.policies.get(report.app) != "pack":
        return
    for key in app.nodes.get(node, ()):
        other = state.streamers[key]
        if key != report.key and other.free is not None:
            _set_free(app, key, other, -busy)


def refresh(state: State, key: str) -> Standing | None:
    """Bring what follows from a streamer's facts up to date; None when it is not known."""
    streamer = state.streamers.get(key)
    if streamer is None:
        return None
    report, app = streamer.report, state.apps[streamer.report.app]
    taken = max(report.players, streamer.live) if report.stock else len(report.sessions) + streamer.live
    ready = report.ready and not report.draining and not streamer.held_back
    aside = streamer.aside > state.now
    is_open = ready and not aside
    free = is_open and (report.capacity == 0 or taken < report.capacity)
    if taken != streamer.taken:
        step, streamer.taken = taken - streamer.taken, taken
        _repack(state, app, report, step)
    score = _score(state, app, streamer, taken) if free else None
    if score != streamer.free:
        _set_free(app, key, streamer, score)
    _rank_ready(app, key, streamer, ready=ready)
    add = (1, report.capacity, int(report.capacity == 0), taken, int(aside)) if ready else NOTHING
    if add != streamer.adds:
        _add_totals(app, streamer, add)
    return Standing(streamer, is_open, free)


def _rank_ready(app: App, key: str, streamer: Streamer, *, ready: bool) -> None:
    looked_on = streamer.shared + len(streamer.report.onlookers) if ready else None
    if looked_on == streamer.looked_on:
        return
    streamer.looked_on = looked_on
    if looked_on is None:
        app.ready.drop(key)
    else:
        app.ready.put(key, looked_on)


def _add_totals(app: App, streamer: Streamer, adds: Adds) -> None:
    for i, (before, after) in enumerate(zip(streamer.adds, adds, strict=True)):
        app.totals[i] += after - before
    streamer.adds = adds


def put_in(state: State, report: StreamerReport, selector: str) -> Streamer:
    """Begin to know a streamer; who was promised it already counts."""
    key = report.key
    app = app_of(state, report.app)
    if key in state.held_back:
        state.due.drop(f"b:{key}")
    streamer = Streamer(report, selector, parts_of(selector), state.now, key in state.held_back)
    for session_id in state.leased.get(key, ()):
        if state.sessions[session_id].shared:
            streamer.shared += 1
        else:
            streamer.live += 1
    state.streamers[key] = streamer
    app.streamers.add(key)
    app.endpoints.setdefault(report.endpoint_id, set()).add(key)
    app.nodes.setdefault(report.node, set()).add(key)
    return streamer


def take_out(state: State, key: str) -> Streamer | None:
    """Know a streamer no more, nor anything that followed from it; return what was known."""
    streamer = state.streamers.get(key)
    if streamer is None:
        return None
    report, app = streamer.report, state.apps[streamer.report.app]
    _set_free(app, key, streamer, None)
    app.ready.drop(key)
    discard(app.endpoints, report.endpoint_id, key)
    discard(app.nodes, report.node, key)
    app.streamers.discard(key)
    _add_totals(app, streamer, NOTHING)
    _repack(state, app, report, -streamer.taken)
    state.due.drop(f"a:{key}")
    if streamer.held_back:
        state.due.put(f"b:{key}", state.now + micros(UNUSED_SECONDS))
    del state.streamers[key]
    return streamer
