"""The fleet store on Redis, shared by any number of replicas. The rules are in `lua/`; this translates calls."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
import orjson

from pixelfleet.fleet.bounds import RECORDS_CHUNK, RESTORE_CHUNK
from pixelfleet.fleet.events import Position, StoredEvent, Turn, Turned, position_of
from pixelfleet.fleet.model import (
    AuditEvent,
    FleetSnapshot,
    LaneView,
    Lease,
    Policy,
    Renewal,
    Reported,
    ServerReport,
    StreamerView,
    Ticket,
    Totals,
    rank_of,
    rank_offset,
)
from pixelfleet.fleet.records import StoredRecord, origin_text
from pixelfleet.fleet.redis.interface import AnnouncementListener, ScriptRunner
from pixelfleet.fleet.redis.replies import REFUSALS, app_totals_of, lane_view_of, lease_of, placed_of
from pixelfleet.fleet.redis.reports import ReportWriter
from pixelfleet.fleet.redis.views import RedisViews
from pixelfleet.fleet.store import Placed

T = TypeVar("T")

MOVED: Final = "moved:"
"""The beginning of the names of moved sessions among those to end; replicas of earlier releases ignore such names."""

EXTEND: Final = "extend:"
"""The beginning of the names of extended sessions among those to end; servers of earlier releases ignore such names."""

_write = msgspec.json.Encoder().encode


class RedisFleetStore:
    """Runs each method as one script. `open_store` creates it.

    The runner and the announcements use a Redis server, or commands in memory (`fleet/memory`).
    """

    def __init__(self, runner: ScriptRunner, announcements: AnnouncementListener, prefix: str) -> None:
        self._runner = runner
        self._announcements = announcements
        self._views = RedisViews(runner, prefix)
        self._reports = ReportWriter()

    # -- for owners of streamers --------------------------------------------------------------------

    async def report(self, report: ServerReport) -> Reported:
        """Replace the stored streamers of one server, or only renew them if none has changed."""
        digest = self._reports.unchanged(report)
        if digest is not None and await self._runner.run("beat", report.server_id, report.sequence, digest):
            self._reports.accepted(report, digest)
            return Reported(taken=True)
        words = self._reports.words(report)
        taken, fence, *end = await self._runner.run(
            "report", report.server_id, report.sequence, report.owner, report.fence, *words
        )
        if taken == 1:
            self._reports.accepted(report, words[0])
        ended, extended = _ends_and_extensions_of(end)
        return Reported(taken=taken == 1, fence=int(fence), end=ended, extend=extended)

    # -- for matchmaker replicas --------------------------------------------------------------------

    async def renew(self, replica_id: str, known_epoch: str) -> Renewal:
        """Renew a replica and its sessions, and claim the leases that were matched for it."""
        epoch, matching_in, sessions, leases, end, operator_drained = await self._runner.run(
            "keep", replica_id, known_epoch
        )
        ended, moved = _ends_of(end)
        return Renewal(
            epoch=epoch.decode(),
            warming_up=matching_in > 0,
            matching_in=matching_in / 1e6,
            sessions=sessions,
            leases=tuple(lease for lease in map(lease_of, leases) if lease is not None),
            end=ended,
            moved=moved,
            operator_drained=_texts(operator_drained),
            connection=self._runner.connections,
            warning=self._runner.warning,
        )

    async def join(self, ticket: Ticket, *, returns: bool = False) -> Placed:
        """Match a ticket with a free streamer, or add it to its lane."""
        placed = placed_of(await self._join(ticket, ticket.replica_id, returns=returns))
        assert placed is not None
        return placed

    async def seconds_left(self, ticket: Ticket) -> float | None:
        """Return how many seconds a session may last by the limits of its ticket."""
        if not any(each.seconds for each in ticket.use_limits):
            return None
        return int(await self._runner.run("seconds_left", *_limits_of(ticket))) / 1e6

    async def leave(
        self, *session_ids: str, replica_id: str = "", may_return: bool = False, codes: Mapping[str, int] | None = None
    ) -> None:
        """Remove sessions."""
        names = [f"{name}:{codes[name]}" if name in codes else name for name in session_ids] if codes else session_ids
        await self._runner.run("leave", replica_id, int(may_return), *names)

    async def give_back(self, session_id: str, streamer: str = "", *, unreachable: bool) -> Placed | None:
        """Return a claimed lease."""
        reply = await self._runner.run("give_back", session_id, int(unreachable), streamer)
        return placed_of(reply)

    async def reserve(self, ticket: Ticket) -> Lease | None:
        """Lease a free streamer to a page that dials it directly."""
        placed = placed_of(await self._join(ticket, ""))
        return placed if isinstance(placed, Lease) else None

    async def restore(
        self,
        replica_id: str,
        tickets: Sequence[tuple[Ticket, float]],
        leases: Sequence[tuple[Ticket, Lease]],
        unsettled: Sequence[str] = (),
        operator_drained: Sequence[str] = (),
        *,
        complete: bool = True,
    ) -> None:
        """Replace a replica's sessions by its snapshot."""
        rows = [[*_ticket_facts(ticket, arrived), "", 0, 0, "", ""] for ticket, arrived in tickets]
        for ticket, lease in leases:
            streamer = lease.streamer
            facts = _ticket_facts(ticket, lease.arrived)
            since = round(lease.since * 1e6)
            rows.append([*facts, streamer.key, int(lease.spectator), int(streamer.legacy), _write(streamer), since])
        rows += [[session_id, *[""] * 13] for session_id in unsettled]
        chunks = [*_chunks(rows, RESTORE_CHUNK)] or [[]]
        for number, chunk in enumerate(chunks, 1):
            first, last = int(number == 1), int(number == len(chunks))
            drained = orjson.dumps(operator_drained if first else ())
            part = (first, last) if complete else ("", "")
            await self._runner.run("restore", replica_id, *part, drained, *(fact for row in chunk for fact in row))

    async def set_policies(self, policies: Mapping[str, Policy]) -> None:
        """Set the policy of each app."""
        await self._runner.run("policies", *(word for pair in sorted(policies.items()) for word in pair))

    async def wait(self, replica_id: str, timeout: float) -> bool:  # noqa: ASYNC109 - nothing new is not an error
        """Wait for an announcement of a match."""
        return await self._announcements.wait(replica_id, timeout)

    # -- for operators and numbers ------------------------------------------------------------------

    async def set_operator_drain(self, key: str, on: bool) -> bool:
        """Begin or end the operator drain of a streamer."""
        return bool(await self._runner.run("hold_back", key, int(on)))

    async def end(self, session_id: str, *, server_id: str = "", kick_seconds: float = 0.0, operator: str = "") -> bool:
        """Request the end of a session."""
        return bool(await self._runner.run("end", session_id, server_id, round(kick_seconds * 1000), operator))

    async def add_audit(self, event: AuditEvent) -> None:
        """Add a change of an operator."""
        await self._runner.run("audit", _write(event))

    async def audit(self) -> list[AuditEvent]:
        """Return the changes of operators, newest first."""
        return await self._views.audit()

    async def keep_records(self, number: int, seconds: float) -> None:
        """Set how many records are kept, and remove those that are too old."""
        await self._runner.run("records", number, round(seconds))

    async def records(
        self, *, after: str = "", before: str = "", newest_first: bool = False, limit: int = RECORDS_CHUNK
    ) -> list[StoredRecord]:
        """Return records of ended sessions."""
        return await self._views.records(after, before, newest_first=newest_first, limit=limit)

    async def count_records(self) -> int:
        """Return the number of records."""
        return await self._views.count_records()

    async def extend(self, session_id: str, seconds: float, *, server_id: str = "") -> bool:
        """Request that a session may last longer."""
        return bool(await self._runner.run("extend", session_id, server_id, str(seconds)))

    async def lanes(self, names: Sequence[str]) -> list[LaneView]:
        """Return the data for positions and estimates of these lanes."""
        replies = await self._runner.run("lanes", *names) if names else []
        return [lane_view_of(name, reply) for name, reply in zip(names, replies, strict=True)]

    async def totals(self) -> Totals:
        """Return the numbers of the fleet."""
        now, warming_up, unknown, *rest = await self._runner.run("totals")
        apps = {row[0].decode(): app_totals_of(row, int(now)) for row in _chunks(rest, 11)}
        return Totals(now=int(now) / 1e6, warming_up=warming_up == 1, apps=apps, unknown_waiting=unknown)

    async def snapshot(self) -> FleetSnapshot:
        """Return the whole content of the store."""
        totals = await self.totals()
        return await self._views.snapshot(totals.now, sorted(totals.apps))

    async def take_turn(self, turn: Turn) -> Turned:
        """Keep events on, and take, keep or give up the lead of a sender."""
        leads, position, latest, lost = await self._runner.run(
            "events",
            turn.keep,
            turn.webhook,
            turn.sender,
            round(turn.lead_seconds * 1e6),
            str(turn.known) if turn.known is not None else "",
            int(turn.delivered),
        )
        return Turned(leads == 1, position_of(position), int(latest), lost == 1)

    async def events(self, after: Position | None) -> list[StoredEvent]:
        """Return the next events after a position; the latest one without a position."""
        return await self._views.events(after)

    async def redeem(self, name: str, until: float) -> bool:
        """Redeem a name that may be used once."""
        return bool(await self._runner.run("redeem", name, round(until * 1e6)))

    async def find(self, streamer: str) -> StreamerView | None:
        """Return one streamer."""
        return await self._views.find(streamer, sorted((await self.totals()).apps))

    # -- private ------------------------------------------------------------------------------------

    async def _join(self, ticket: Ticket, replica_id: str, *, returns: bool = False) -> Any:
        reply = await self._runner.run(
            "join",
            ticket.session_id,
            replica_id,
            ticket.app,
            ticket.selector,
            ticket.wants,
            ticket.sharing,
            rank_offset(ticket.priority),
            _write(ticket),
            ticket.person,
            ticket.client,
            _way_of(ticket, returns=returns),
            origin_text(ticket.origin),
            *_limits_of(ticket),
        )
        if isinstance(reply, bytes):
            error, text = REFUSALS[reply]
            raise error(text)
        return reply


def _limits_of(ticket: Ticket) -> list[str | int]:
    """Return the limits of a ticket as the scripts expect them: name, sessions and seconds of each."""
    return [fact for each in ticket.use_limits for fact in (each.name, each.sessions, each.seconds)]


def _way_of(ticket: Ticket, *, returns: bool) -> int:
    """Return how a ticket joins, as `join.lua` expects it."""
    return 1 if returns else 2 * ticket.by_cookie


def _texts(values: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(sorted(value.decode() for value in values))


def _ends_of(names: Sequence[bytes]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sessions that an operator has ended, and those that moved to another replica."""
    texts = _texts(names)
    moved = tuple(name.removeprefix(MOVED) for name in texts if name.startswith(MOVED))
    return tuple(name for name in texts if not name.startswith(MOVED)), moved


def _ends_and_extensions_of(names: Sequence[bytes]) -> tuple[tuple[str, ...], tuple[tuple[str, float], ...]]:
    """Return the sessions that an operator has ended, and those that may last longer, with the seconds."""
    texts = _texts(names)
    extended = (name.split(":", 3) for name in texts if name.startswith(EXTEND))
    return (
        tuple(name for name in texts if not name.startswith(EXTEND)),
        tuple((session_id, float(seconds)) for _, seconds, _, session_id in extended),
    )


def _chunks(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _ticket_facts(ticket: Ticket, arrived: float) -> list[Any]:
    return [
        ticket.session_id,
        ticket.app,
        ticket.selector,
        ticket.wants,
        ticket.sharing,
        int(rank_of(arrived, ticket.priority)),
        round(arrived * 1e6),
        _write(ticket),
        origin_text(ticket.origin),
    ]
