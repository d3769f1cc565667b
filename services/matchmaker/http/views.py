"""Converts objects of the fleet store to the bodies of REST answers. No I/O."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, TypeVar

from yarl import URL

from matchmaker.http import schemas
from matchmaker.http.contract import DEFAULT_LIMIT
from pixelfleet.fleet.model import AppTotals, AuditEvent, FleetSnapshot, Lease, StreamerView, Totals, Waiting
from pixelfleet.fleet.store import lane_of
from pixelfleet.net.addresses import url_address

MAX_SESSION_IDS: Final = 100
"""Session ids in the list of one streamer; `players` has the whole number."""

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
        rest_url=_without_credentials(report.rest_url),
        dialect=report.dialect,
        stock=report.legacy,
        labels=report.labels,
        node=report.node,
        capacity=report.capacity or None,
        players=players_of(view),
        taken=taken_of(view),
        sessions=list(report.sessions[:MAX_SESSION_IDS]),
        spectators=len(report.spectators),
        spectator_input=report.gives_input,
        since=view.seen,
        matched_at=view.used or None,
        failed_dials=view.failures,
    )


def state_of(view: StreamerView, now: float) -> schemas.StreamerState:
    """Return `free`, or why no player is matched to a streamer."""
    report = view.report
    if view.operator_drained or report.draining:
        return "draining"
    if not report.ready:
        return "not ready"
    if view.quarantined_until > now:
        return "aside"
    return "busy" if report.capacity and taken_of(view) >= report.capacity else "free"


def taken_of(view: StreamerView) -> int:
    """Return the number of occupied and leased slots. A legacy server's players include those of its leases."""
    players = players_of(view)
    return max(players, view.leased) if view.report.legacy else players + view.leased


def players_of(view: StreamerView) -> int:
    """Return the number of players of a streamer."""
    report = view.report
    return report.players if report.legacy else len(report.sessions)


def session_view(lease: Lease, *, named: bool) -> schemas.Session:
    """Return one session that has a lease; only if it is `named`, with its player's name and address."""
    origin, facts = lease.origin, lease.facts
    return schemas.Session(
        id=lease.session_id,
        app=lease.streamer.app,
        streamer=lease.streamer.key,
        state=lease.state,
        away=lease.session_id in lease.streamer.away,
        role=_role(lease),
        arrived_at=lease.arrived or None,
        matched_at=lease.since or None,
        deadline=lease.deadline or None,
        replica=lease.replica_id or None,
        who=(origin.who or None) if named else None,
        address=(origin.address or None) if named else None,
        node=lease.streamer.node,
        waited_seconds=max(0.0, round(lease.since - lease.arrived, 3)) if lease.arrived and lease.since else None,
        first_frame_seconds=facts.first_frame_seconds or None,
        path=facts.path or None,
        codec=facts.codec or None,
        longest_stall_seconds=facts.longest_stall_seconds,
        resumed=facts.resumed,
        ends_at=facts.ends_at,
    )


def _role(lease: Lease) -> Literal["player", "guest", "spectator"]:
    if lease.session_id in lease.streamer.guests:
        return "guest"
    return "spectator" if lease.spectator else "player"


def queue_views(queue: Sequence[Waiting], now: float) -> list[schemas.Waiting]:
    """Return the waiting sessions, next first, each with its position in its lane; `queue` is sorted by rank."""
    positions: Counter[str] = Counter()
    views = []
    for waiting in queue:
        ticket = waiting.ticket
        lane = lane_of(ticket)
        positions[lane] += 1
        views.append(
            schemas.Waiting(
                id=ticket.session_id,
                app=ticket.app,
                position=positions[lane],
                wants=ticket.wants or None,
                labels=ticket.labels,
                priority=ticket.priority,
                arrived_at=waiting.arrived,
                waited_seconds=max(0.0, round(now - waiting.arrived, 3)),
                replica=ticket.replica_id,
            )
        )
    return views


def app_view(name: str, app: AppTotals) -> schemas.App:
    """Return the totals of one application; `slots` is null without a limit."""
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


def audit_view(event: AuditEvent) -> schemas.AuditRecord:
    """Return one change by an operator."""
    return schemas.AuditRecord(
        id=event.id,
        at=event.at,
        action=event.action,
        target=event.target,
        subject=event.subject or None,
        method=event.method,
        address=event.address,
        service=event.service,
    )


def totals_view(totals: Totals) -> schemas.Totals:
    """Return the totals of all applications."""
    return schemas.Totals(
        now=totals.now,
        young=totals.warming_up,
        apps=[app_view(name, app) for name, app in sorted(totals.apps.items())],
    )


def list_view(view: StreamerView, now: float) -> schemas.Listed:
    """Return one streamer in the format of the reference matchmaker's list, which has times in milliseconds.

    Each listed streamer was reported within the last heartbeats, so the time of the last ping is `now`.
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
    """Return the streamers, sorted by key."""
    return sorted(snapshot.streamers, key=lambda view: view.report.key)


def queue_page_name(waiting: Waiting) -> str:
    """Return a string that sorts like the queue, for `after` and `next` of its pages."""
    return f"{int(waiting.rank) + 10**17:019d}.{waiting.ticket.session_id}"


def page(
    items: Iterable[T], name: Callable[[T], str], *, after: str = "", limit: int = DEFAULT_LIMIT
) -> tuple[list[T], str | None]:
    """Return at most `limit` items after the name `after`, and the name for the next page or None.

    `items` are sorted by `name`.
    """
    found: list[T] = []
    for item in items:
        if after and name(item) <= after:
            continue
        if len(found) == limit:
            return found, name(found[-1])
        found.append(item)
    return found, None


def _without_credentials(url: str) -> str | None:
    """Return a URL without user name and password; None for an empty one."""
    return str(URL(url).with_user(None)) if url else None
