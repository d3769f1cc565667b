"""Makes the bodies of REST answers from what the fleet store holds. No I/O."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from yarl import URL

from matchmaker.http import schemas
from matchmaker.http.contract import DEFAULT_LIMIT
from pixelfleet.fleet.model import AppTotals, FleetSnapshot, Lease, StreamerView, Totals, Waiting
from pixelfleet.fleet.store import lane_of
from pixelfleet.net.addresses import url_address

MAX_NAMES: Final = 100
"""Session ids that one streamer is shown with; how many there are is told beside them."""

T = TypeVar("T")


def streamer_view(view: StreamerView, now: float) -> schemas.Streamer:
    """Return one streamer."""
    report = view.report
    return schemas.Streamer(
        id=report.key,
        server_id=report.server_id,
        endpoint_id=report.endpoint_id,
        app=report.app,
        state=state_of(view, now),
        url=report.url,
        rest_url=_without_account(report.rest_url),
        dialect=report.dialect,
        stock=report.legacy,
        labels=report.labels,
        node=report.node,
        capacity=report.capacity or None,
        players=players_of(view),
        taken=taken_of(view),
        sessions=list(report.sessions[:MAX_NAMES]),
        spectators=len(report.spectators),
        since=view.seen,
        matched_at=view.used or None,
        failed_dials=view.failures,
    )


def state_of(view: StreamerView, now: float) -> schemas.StreamerState:
    """Return what keeps players from a streamer, or `free`."""
    report = view.report
    if view.operator_drained or report.draining:
        return "draining"
    if not report.ready:
        return "not ready"
    if view.quarantined_until > now:
        return "aside"
    return "busy" if report.capacity and taken_of(view) >= report.capacity else "free"


def taken_of(view: StreamerView) -> int:
    """Return how many slots are held or promised: a stock server's players and its leases are the same people."""
    players = players_of(view)
    return max(players, view.promised) if view.report.legacy else players + view.promised


def players_of(view: StreamerView) -> int:
    """Return how many players a streamer has."""
    report = view.report
    return report.players if report.legacy else len(report.sessions)


def session_view(lease: Lease) -> schemas.Session:
    """Return one session that has a streamer, or the promise of one."""
    return schemas.Session(
        id=lease.session_id,
        app=lease.streamer.app,
        streamer=lease.streamer.key,
        state=lease.state,
        role="spectator" if lease.spectator else "player",
        arrived_at=lease.arrived or None,
        matched_at=lease.since or None,
        deadline=lease.deadline or None,
        replica=lease.replica_id or None,
    )


def queue_views(queue: Sequence[Waiting], now: float) -> list[schemas.Waiting]:
    """Return those who wait, next first; a place counts those before it who want the same."""
    places: Counter[str] = Counter()
    views = []
    for each in queue:
        ticket = each.ticket
        lane = lane_of(ticket)
        places[lane] += 1
        views.append(
            schemas.Waiting(
                id=ticket.session_id,
                app=ticket.app,
                position=places[lane],
                wants=ticket.wants or None,
                labels=ticket.labels,
                priority=ticket.priority,
                arrived_at=each.arrived,
                waited_seconds=max(0.0, round(now - each.arrived, 3)),
                replica=ticket.replica_id,
            )
        )
    return views


def app_view(name: str, app: AppTotals) -> schemas.App:
    """Return one app in numbers; slots are null where there is no limit to them."""
    return schemas.App(
        app=name,
        streamers=app.streamers,
        available=app.available,
        aside=app.quarantined,
        slots=app.slots if math.isfinite(app.slots) else None,
        used=app.used,
        waiting=app.waiting,
        oldest_wait_seconds=round(app.oldest_wait, 3),
    )


def totals_view(totals: Totals) -> schemas.Totals:
    """Return the fleet in numbers."""
    return schemas.Totals(
        now=totals.now,
        young=totals.warming_up,
        apps=[app_view(name, app) for name, app in sorted(totals.apps.items())],
    )


def list_view(view: StreamerView, now: float) -> schemas.Listed:
    """Return one streamer as the reference matchmaker lists its servers; times are in milliseconds there.

    What is listed has been heard of within the last heartbeats, so the time of the last ping is that of the reading.
    """
    host, port = url_address(view.report.url)
    rest = view.report.rest_url
    return schemas.Listed(
        id=view.report.key,
        address=host,
        port=port,
        rest_port=URL(rest).port if rest else None,
        ready=view.report.ready and not view.report.draining and not view.operator_drained,
        num_connected_clients=players_of(view),
        last_ping_received=round(now * 1000),
    )


def sorted_streamers(snapshot: FleetSnapshot) -> list[StreamerView]:
    """Return the streamers by their keys."""
    return sorted(snapshot.streamers, key=lambda view: view.report.key)


def place_of(waiting: Waiting) -> str:
    """Return a text that sorts as the queue does, by which a page of it is named."""
    return f"{int(waiting.rank) + 10**17:019d}.{waiting.ticket.session_id}"


def page(
    items: Iterable[T], name: Callable[[T], str], *, after: str = "", limit: int = DEFAULT_LIMIT
) -> tuple[list[T], str | None]:
    """Return the items behind a name, at most `limit`, and the name to go on behind; they come sorted by name."""
    chosen: list[T] = []
    for item in items:
        if after and name(item) <= after:
            continue
        if len(chosen) == limit:
            return chosen, name(chosen[-1])
        chosen.append(item)
    return chosen, None


def _without_account(url: str) -> str | None:
    """Return a URL without a user's name and password, which are for servers and not for shows."""
    return str(URL(url).with_user(None)) if url else None
