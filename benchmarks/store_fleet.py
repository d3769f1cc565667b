"""One build's store with a large fleet, for `benchmarks.store_scale`: measures what each line on its input asks for.

    python -m benchmarks.store_fleet URL SERVERS

URL is that of a Redis of its own. Each of SERVERS servers has one streamer, and as many players wait. The process
prints `ready` when they are in the store. It then reads lines from its input, and answers each with a number:

  minute  the CPU seconds of Redis and this process for the reports and renewals of one minute
  match   the microseconds of CPU of Redis and this process for one match

Each report is a packet of its own, as servers have separate connections. Here they share CONNECTIONS of them, and a
report waits for the reply to the one before it. What idle connections cost is not included. Only names that both
compared builds have are imported.
"""

import asyncio
import gc
import logging
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

import structlog
import uvloop
from redis.asyncio import Redis

from pixelfleet.fleet.bounds import HEARTBEAT_SECONDS, RENEW_SECONDS, WARM_UP_SECONDS
from pixelfleet.fleet.model import Lease, ServerReport, StreamerReport, Ticket
from pixelfleet.fleet.open import open_store
from pixelfleet.fleet.store import FleetStore

CONNECTIONS: Final = 50
REPLICAS: Final = 4
AT_ONCE: Final = 8
"""Players that are matched at a time."""
MATCHES: Final = 160
REGIONS: Final = ("eu", "us", "ap", "sa")


class Fleet:
    """The servers and replicas of one store."""

    def __init__(self, stores: Sequence[FleetStore], redis: Redis, clock: list[float], servers: int) -> None:
        self._stores = stores
        self._redis = redis
        self._clock = clock
        self._servers = servers
        self._sequence = 0
        self._sessions = 0

    async def prepare(self) -> None:
        """Report all servers, and let as many players wait for an application without a free streamer."""
        for store in self._stores:
            await store.totals()  # connects
        self._clock[0] += WARM_UP_SECONDS
        for replica in range(REPLICAS):
            await self._stores[replica].renew(f"r{replica}", "")
        for number in range(self._servers):
            await self._stores[0].join(self._ticket("full", f"r{number % REPLICAS}"))
        await self._heartbeats()

    async def minute(self) -> float:
        """Return the CPU seconds for the reports and renewals of a minute, from those of one heartbeat interval."""
        await self._heartbeats()
        gc.collect()
        before = await self._cpu()
        await self._heartbeats()
        for _ in range(round(HEARTBEAT_SECONDS / RENEW_SECONDS)):
            for replica in range(REPLICAS):
                await self._stores[replica].renew(f"r{replica}", "")
        return (await self._cpu() - before) * 60 / HEARTBEAT_SECONDS

    async def match(self) -> float:
        """Return the microseconds of CPU for a match: a join, the report of its session, and that of its end."""
        await self._matches()
        gc.collect()
        before, done = await self._cpu(), 0
        while done < MATCHES:
            done += await self._matches()
        return (await self._cpu() - before) / done * 1e6

    # -- private ------------------------------------------------------------------------------------

    async def _cpu(self) -> float:
        used = await self._redis.info("cpu")
        return time.process_time() + float(used["used_cpu_user"]) + float(used["used_cpu_sys"])

    async def _heartbeats(self) -> None:
        self._clock[0] += 0.001
        await asyncio.gather(*(self._heartbeats_of(first) for first in range(CONNECTIONS)))

    async def _heartbeats_of(self, first: int) -> None:
        for number in range(first, self._servers, CONNECTIONS):
            await self._report(number)

    async def _report(self, number: int, *held: str) -> None:
        self._sequence += 1
        name, node = str(number), f"n{number // 5}"
        streamer = StreamerReport(
            server_id=name,
            endpoint_id="cam",
            app="app",
            url=f"ws://10.0.0.1:{number}",
            labels={"region": REGIONS[number % len(REGIONS)], "gpu": "a10", "node": node},
            node=node,
            sessions=held,
        )
        report = ServerReport(server_id=name, sequence=self._sequence, streamers=(streamer,))
        await self._stores[number % CONNECTIONS].report(report)

    def _ticket(self, app: str, replica: str) -> Ticket:
        self._sessions += 1
        return Ticket(session_id=f"p{self._sessions}", replica_id=replica, app=app)

    async def _matches(self) -> int:
        self._clock[0] += 0.001
        placed = await asyncio.gather(*(self._stores[0].join(self._ticket("app", "r0")) for _ in range(AT_ONCE)))
        leases = [lease for lease in placed if isinstance(lease, Lease)]
        assert len(leases) == len(placed)
        await asyncio.gather(*(self._report(int(each.streamer.server_id), each.session_id) for each in leases))
        await asyncio.gather(*(self._report(int(each.streamer.server_id)) for each in leases))
        return len(leases)


async def serve(url: str, servers: int) -> None:
    """Prepare a fleet, then measure on request until the input ends."""
    # The clock stands still between measurements, so that no fact expires while another build is measured.
    clock = [time.time()]
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(open_store(url, clock=lambda: clock[0])) for _ in range(CONNECTIONS)]
        redis = await stack.enter_async_context(Redis.from_url(url))
        fleet = Fleet(opened, redis, clock, servers)
        await fleet.prepare()
        print("ready", flush=True)
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            print(await (fleet.minute() if line == "minute" else fleet.match()), flush=True)


if __name__ == "__main__":
    # Lower levels are printed on the output, which has the answers.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
