"""Reads the whole fleet from Redis, a part at a time: for operators and dashboards, never for matching."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from pixelfleet.fleet.model import FleetSnapshot, Lease, LeaseState, StreamerReport, StreamerView, Ticket, Waiting
from pixelfleet.fleet.redis_link import RedisLink

CHUNK: Final = 500
STATES: Final = {b"M": LeaseState.MATCHED, b"C": LeaseState.CLAIMED, b"H": LeaseState.HELD}
STREAMER_FIELDS: Final = ("rep", "seen", "used", "live", "shd", "hb", "asd", "fails")
SESSION_FIELDS: Final = ("st", "rp", "k", "sh", "since", "arr", "dl", "tk")


class RedisViews:
    """Reads what the scripts of `lua/` write."""

    def __init__(self, link: RedisLink, prefix: str) -> None:
        self._link = link
        self._prefix = prefix

    async def snapshot(self, now: float, apps: Sequence[str]) -> FleetSnapshot:
        """Return all that the store knows; `now` is its clock."""
        keys = sorted((await self._members("all")))
        streamers = {key: view for key, view in zip(keys, await self._streamers(keys), strict=True) if view is not None}
        leased = await self._link.read(
            *(("SUNION", f"{self._prefix}sl:{key}", f"{self._prefix}sh:{key}") for key in streamers)
        )
        sessions = [name.decode() for names in leased for name in names]
        queues = await self._link.read(*(("ZRANGE", f"{self._prefix}wait:{app}", 0, -1) for app in apps))
        waiting = [name.decode() for names in queues for name in names]
        leases = [
            _lease(name, row, streamers) for name, row in zip(sessions, await self._sessions(sessions), strict=True)
        ]
        queue = [_waiting(row) for row in await self._sessions(waiting)]
        return FleetSnapshot(
            now=now,
            streamers=tuple(streamers.values()),
            leases=tuple(lease for lease in leases if lease is not None),
            queue=tuple(sorted((each for each in queue if each is not None), key=lambda each: each.rank)),
        )

    async def find(self, streamer: str, apps: Sequence[str]) -> StreamerView | None:
        """Return one streamer by its key, or by an endpoint id that only one streamer has."""
        (view,) = await self._streamers([streamer])
        if view is not None:
            return view
        named = await self._link.read(*(("SMEMBERS", f"{self._prefix}ep:{app}\x1f{streamer}") for app in apps))
        keys = [key.decode() for names in named for key in names]
        return (await self._streamers(keys))[0] if len(keys) == 1 else None

    # -- inside -------------------------------------------------------------------------------------

    async def _members(self, name: str) -> list[str]:
        (members,) = await self._link.read(("SMEMBERS", self._prefix + name))
        return [member.decode() for member in members]

    async def _rows(self, kind: str, names: Sequence[str], fields: Sequence[str]) -> list[list[Any]]:
        rows: list[list[Any]] = []
        for start in range(0, len(names), CHUNK):
            chunk = names[start : start + CHUNK]
            rows += await self._link.read(*(("HMGET", f"{self._prefix}{kind}:{name}", *fields) for name in chunk))
        return rows

    async def _streamers(self, keys: Sequence[str]) -> list[StreamerView | None]:
        return [_streamer(row) for row in await self._rows("s", keys, STREAMER_FIELDS)]

    async def _sessions(self, names: Sequence[str]) -> list[list[Any]]:
        return await self._rows("t", names, SESSION_FIELDS)


def _streamer(row: Sequence[Any]) -> StreamerView | None:
    report, seen, used, live, _, held_back, aside, failures = row
    if report is None:
        return None
    return StreamerView(
        report=msgspec.json.decode(report, type=StreamerReport),
        seen=int(seen) / 1e6,
        used=int(used) / 1e6,
        promised=int(live),
        held_back=held_back == b"1",
        aside_until=int(aside) / 1e6,
        failures=int(failures),
    )


def _lease(name: str, row: Sequence[Any], streamers: dict[str, StreamerView]) -> Lease | None:
    state, replica, key, shared, since, arrived, deadline, _ = row
    if state not in STATES or (view := streamers.get(key.decode())) is None:
        return None
    return Lease(
        session_id=name,
        replica_id=replica.decode(),
        streamer=view.report,
        state=STATES[state],
        shared=shared == b"1",
        since=int(since) / 1e6,
        arrived=int(arrived) / 1e6,
        deadline=int(deadline) / 1e6,
    )


def _waiting(row: Sequence[Any]) -> Waiting | None:
    state, _, _, _, _, arrived, _, ticket = row
    if state != b"W":
        return None
    return Waiting(ticket=msgspec.json.decode(ticket, type=Ticket), arrived=int(arrived) / 1e6)
