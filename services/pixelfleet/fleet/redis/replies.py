"""Converts replies of the scripts of `lua/`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pixelfleet.fleet.model import AppTotals, LaneView, Lease, Waiting
from pixelfleet.fleet.redis.views import STATES, read_report, read_ticket
from pixelfleet.fleet.store import (
    KickedError,
    NoMinutesError,
    NothingServesError,
    Placed,
    PlaceLostError,
    TicketRefusedError,
    TooManyChoicesError,
    TooManySessionsError,
)

REFUSALS: Final[Mapping[bytes, tuple[type[TicketRefusedError | KickedError], str]]] = {
    b"choices": (TooManyChoicesError, "too many different choices of labels are in use"),
    b"unknown": (NothingServesError, "no such application"),
    b"gone": (NothingServesError, "no such session"),
    b"sessions": (TooManySessionsError, "the account has as many sessions as it may have"),
    b"minutes": (NoMinutesError, "the account has used its minutes of the day"),
    b"lost": (PlaceLostError, "the place in the queue is no longer kept"),
    b"kicked": (KickedError, "an operator has removed this player"),
}
"""The error of a refused join, by its reply."""


def placed_of(reply: Any) -> Placed | None:
    """Return the place or lease of a reply; None for an unknown session."""
    if reply is None:
        return None
    if len(reply) == 5:
        _, arrived, ticket, wants, replica = reply
        return Waiting(ticket=read_ticket(ticket, wants, replica), arrived=int(arrived) / 1e6)
    return lease_of(reply)


def lease_of(row: Sequence[Any]) -> Lease | None:
    """Return a lease; None if the report of its streamer is lost."""
    session, replica, report, state, spectator, since, arrived, deadline = row
    if report is None:
        return None
    return Lease(
        session_id=session.decode(),
        replica_id=replica.decode(),
        streamer=read_report(report),
        state=STATES[state],
        spectator=spectator == b"1",
        since=int(since) / 1e6,
        arrived=int(arrived) / 1e6,
        deadline=int(deadline) / 1e6,
    )


def lane_view_of(name: str, reply: Sequence[Any]) -> LaneView:
    """Return the data of one lane.

    The rate is that of the intervals between ends. The time since the last end does not count: the rate, and with it
    every estimate, would change from second to second.
    """
    length, head, marks, ends, duration, served = reply
    seconds = int(duration) / 1e6
    return LaneView(
        lane=name,
        length=length,
        head=tuple(session.decode() for session in head),
        marks=tuple((float(rank), place) for rank, place in zip(marks[::2], marks[1::2], strict=True)),
        ends_per_second=(ends - 1) / seconds if seconds else 0.0,
        served=served == 1,
    )


def app_totals_of(row: Sequence[Any], now: int) -> AppTotals:
    """Return the totals of one app; `now` is in microseconds."""
    _, streamers, slots, unlimited, used, quarantined, available, waiting, oldest, unscalable, unusable = row
    oldest_at = int(float(oldest))
    return AppTotals(
        streamers=streamers,
        slots=float("inf") if unlimited else slots,
        used=used,
        available=available,
        waiting=waiting,
        quarantined=quarantined,
        oldest_wait=max(0.0, (now - oldest_at) / 1e6) if oldest_at else 0.0,
        unscalable=unscalable,
        unusable=unusable,
    )
