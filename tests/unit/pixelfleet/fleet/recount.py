"""Computes totals from a snapshot, to check those that the store updates incrementally."""

import math

from pixelfleet.fleet.model import AppTotals, FleetSnapshot, LeaseState, StreamerView, Ticket


def used_slots(known: FleetSnapshot, view: StreamerView) -> int:
    """Return the used slots of a streamer; a held session and its lease count once."""
    report = view.report
    leased = {
        lease.session_id
        for lease in known.leases
        if lease.streamer.key == report.key and lease.state is not LeaseState.HELD and not lease.spectator
    }
    return max(report.players, len(leased)) if report.legacy else len(report.sessions) + len(leased)


def is_open(known: FleetSnapshot, view: StreamerView) -> bool:
    report = view.report
    ready = report.ready and not report.draining and not view.operator_drained
    return ready and view.quarantined_until <= known.now


def is_free(known: FleetSnapshot, view: StreamerView, legacy_from: float = 0.0) -> bool:
    """Return whether a streamer has a free slot; no legacy streamer has one before `legacy_from`."""
    withheld = view.report.legacy and known.now < legacy_from
    has_room = not view.report.capacity or used_slots(known, view) < view.report.capacity
    return is_open(known, view) and has_room and not withheld


def recount(known: FleetSnapshot, legacy_from: float = 0.0) -> dict[str, AppTotals]:
    """Return the totals of every app with a streamer or a waiting ticket."""
    apps = {view.report.app for view in known.streamers} | {each.ticket.app for each in known.queue}
    return {app: _recount(known, app, legacy_from) for app in sorted(apps)}


def _recount(known: FleetSnapshot, app: str, legacy_from: float) -> AppTotals:
    mine = [view for view in known.streamers if view.report.app == app]
    ready = [each for each in mine if each.report.ready and not each.report.draining and not each.operator_drained]
    waiting = [each for each in known.queue if each.ticket.app == app]
    arrivals = [each.arrived for each in waiting if each.ticket.wants in ("", "*")]
    return AppTotals(
        streamers=len(ready),
        slots=sum(each.report.capacity or math.inf for each in ready),
        used=sum(used_slots(known, each) for each in ready),
        available=sum(is_free(known, each, legacy_from) for each in mine),
        waiting=len(waiting),
        quarantined=sum(each.quarantined_until > known.now for each in ready),
        oldest_wait=max(0.0, round(known.now - min(arrivals), 6)) if arrivals else 0.0,
        unscalable=sum(is_unscalable(each.ticket, mine) for each in waiting),
        unusable=sum(unusable_slots(known, each) for each in mine),
    )


def unusable_slots(known: FleetSnapshot, view: StreamerView) -> int:
    """Return the slots of a streamer that exist and take no further player, and that its app's `used` leaves out."""
    report, used = view.report, used_slots(known, view)
    free = max((report.capacity or 1) - used, 0)
    if not report.ready or report.draining:
        return used
    if view.operator_drained:
        return used + free
    return free if view.quarantined_until > known.now else 0


def is_unscalable(join_request: Ticket, streamers: list[StreamerView]) -> bool:
    """Return whether a further streamer like those of the app would not serve a ticket."""
    if join_request.wants:
        return join_request.wants != "*"
    return bool(streamers) and not any(join_request.labels.items() <= each.report.labels.items() for each in streamers)
