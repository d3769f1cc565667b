"""Reads the whole fleet from Redis in chunks, for operators and dashboards; matching does not use it."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import msgspec

from pixelfleet.fleet.bounds import READ_CHUNK
from pixelfleet.fleet.events import BATCH, Position, StoredEvent, event_of
from pixelfleet.fleet.model import (
    AuditEvent,
    FleetSnapshot,
    Lease,
    LeaseState,
    StreamerReport,
    StreamerView,
    Ticket,
    Waiting,
)
from pixelfleet.fleet.records import StoredRecord, read_facts, read_origin, read_record
from pixelfleet.fleet.redis.interface import ScriptRunner

STATES: Final = {b"M": LeaseState.MATCHED, b"C": LeaseState.CLAIMED, b"H": LeaseState.HELD}
STREAMER_FIELDS: Final = ("rep", "seen", "used", "live", "hb", "asd", "fails")
SESSION_FIELDS: Final = ("st", "rp", "k", "sh", "since", "arr", "dl", "tk", "want", "rep", "rec", "facts")

read_report = msgspec.json.Decoder(StreamerReport).decode
_read_event = msgspec.json.Decoder(AuditEvent).decode
_read_ticket = msgspec.json.Decoder(Ticket).decode


def read_ticket(ticket: bytes, wants: bytes, replica: bytes) -> Ticket:
    """Return a stored ticket, with the wanted streamer as resolved by the scripts and its present replica."""
    original = _read_ticket(ticket)
    if (original.wants, original.replica_id) == (wants.decode(), replica.decode()):
        return original
    return msgspec.structs.replace(original, wants=wants.decode(), replica_id=replica.decode())


class RedisViews:
    """Reads the keys that the scripts of `lua/` write."""

    def __init__(self, runner: ScriptRunner, prefix: str) -> None:
        self._runner = runner
        self._prefix = prefix

    async def snapshot(self, now: float, apps: Sequence[str]) -> FleetSnapshot:
        """Return the whole content of the store; `now` is its clock, in seconds."""
        streamers = await self._streamers(await self._union([f"all:{app}" for app in apps]))
        replicas = await self._union(["replicas"])
        groups = [f"{kind}:{key}" for key in streamers for kind in ("sl", "sh")]
        names = await self._union([*groups, *(f"rt:{replica}" for replica in replicas)])
        leases, queue = [], []
        async for name, row in self._rows("t", names, SESSION_FIELDS):
            if row[0] == b"W":
                queue.append(_waiting(row))
            elif (lease := _lease(name, row, streamers)) is not None:
                leases.append(lease)
        return FleetSnapshot(
            now=now,
            streamers=tuple(streamers.values()),
            leases=tuple(sorted(leases, key=lambda each: (each.since, each.session_id))),
            queue=tuple(sorted(queue, key=lambda each: (each.rank, each.ticket.session_id))),
        )

    async def find(self, streamer: str, apps: Sequence[str]) -> StreamerView | None:
        """Return one streamer by its key or by a unique endpoint id; None if there is none."""
        found = await self._streamers([streamer])
        if not found:
            keys = await self._union([f"ep:{app}\x1f{streamer}" for app in apps])
            found = await self._streamers(keys) if len(keys) == 1 else {}
        return next(iter(found.values()), None)

    async def audit(self) -> list[AuditEvent]:
        """Return the changes of operators, newest first."""
        (stored,) = await self._runner.read(("LRANGE", self._prefix + "audit", 0, -1))
        return [_audit_event(each) for each in stored]

    async def events(self, after: Position | None) -> list[StoredEvent]:
        """Return the next events after a position; the latest one without a position."""
        key = self._prefix + "events"
        if after is None:
            (entries,) = await self._runner.read(("XREVRANGE", key, "+", "-", "COUNT", 1))
        else:
            (entries,) = await self._runner.read(("XRANGE", key, f"({after.entry}", "+", "COUNT", BATCH))
        return [event_of(entry) for entry in entries]

    async def records(self, after: str, before: str, *, newest_first: bool, limit: int) -> list[StoredRecord]:
        """Return records of ended sessions between two ids; see `FleetStore.records`."""
        first, last = f"({after}" if after else "-", f"({before}" if before else "+"
        span = (
            ("XREVRANGE", self._prefix + "records", last, first)
            if newest_first
            else (
                "XRANGE",
                self._prefix + "records",
                first,
                last,
            )
        )
        (rows,) = await self._runner.read((*span, "COUNT", limit))
        return [StoredRecord(entry.decode(), read_record(fields[1])) for entry, fields in rows]

    async def count_records(self) -> int:
        """Return the number of records."""
        (count,) = await self._runner.read(("XLEN", self._prefix + "records"))
        return int(count)

    # -- private ------------------------------------------------------------------------------------

    async def _union(self, sets: Sequence[str]) -> list[str]:
        """Return the members of all these sets, sorted."""
        members: set[bytes] = set()
        for start in range(0, len(sets), READ_CHUNK):
            chunk = sets[start : start + READ_CHUNK]
            (found,) = await self._runner.read(("SUNION", *(self._prefix + name for name in chunk)))
            members.update(found)
        return sorted(member.decode() for member in members)

    async def _rows(
        self, kind: str, names: Sequence[str], fields: Sequence[str]
    ) -> AsyncIterator[tuple[str, Sequence[Any]]]:
        """Yield names with their fields, in chunks, so that other calls run in between."""
        for start in range(0, len(names), READ_CHUNK):
            chunk = names[start : start + READ_CHUNK]
            rows = await self._runner.read(*(("HMGET", f"{self._prefix}{kind}:{name}", *fields) for name in chunk))
            for name, row in zip(chunk, rows, strict=True):
                yield name, row

    async def _streamers(self, keys: Sequence[str]) -> dict[str, StreamerView]:
        return {key: _streamer(row) async for key, row in self._rows("s", keys, STREAMER_FIELDS) if row[0] is not None}


def _audit_event(stored: bytes) -> AuditEvent:
    micros, _, event = stored.partition(b" ")
    return msgspec.structs.replace(_read_event(event), id=micros.decode(), at=int(micros) / 1e6)


def _streamer(row: Sequence[Any]) -> StreamerView:
    report, seen, used, live, operator_drained, quarantined, failures = row
    return StreamerView(
        report=read_report(report),
        seen=int(seen) / 1e6,
        used=int(used) / 1e6,
        leased=int(live),
        operator_drained=operator_drained == b"1",
        quarantined_until=int(quarantined) / 1e6,
        failures=int(failures),
    )


def _lease(name: str, row: Sequence[Any], streamers: dict[str, StreamerView]) -> Lease | None:
    state, replica, key, spectator, since, arrived, deadline, _, _, orphan, origin, facts = row
    if state not in STATES:
        return None
    view = streamers.get(key.decode())
    if view is None and orphan is None:
        return None
    return Lease(
        session_id=name,
        replica_id=replica.decode(),
        streamer=read_report(orphan) if view is None else view.report,
        state=STATES[state],
        spectator=spectator == b"1",
        since=int(since) / 1e6,
        arrived=int(arrived) / 1e6,
        deadline=int(deadline) / 1e6,
        origin=read_origin(origin),
        facts=read_facts(facts),
    )


def _waiting(row: Sequence[Any]) -> Waiting:
    return Waiting(ticket=read_ticket(row[7], row[8], row[1]), arrived=int(row[5]) / 1e6)
