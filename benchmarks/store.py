"""Measures the cost of a match as the fleet and the queue grow, and of the heartbeats of a large fleet.

    python -m benchmarks.store [--against CHECKOUT] [--rounds 8] [--matches 160] [--store memory|redis] [--check]

Two measurements, each with labels and for every policy, on the store in memory and on a redis-server of its own:

  streamers  N free streamers; a player joins and gets a lease, its server reports the session as held, then as ended
  waiting    N waiting tickets; a server reports a free slot, the replica claims the lease, the server reports the
             session as held, and a new ticket waits

Three more with N joins for applications that do not exist:

  names      the match of `streamers`, with 100 streamers
  queue      the match of `waiting`, with 100 waiting tickets
  totals     one reading of the totals, with 100 streamers

The cost is the CPU time of this process, plus that of redis-server for Redis. It is the lowest value of several rounds,
each of which measures all sizes. The ratio is that of the highest to the lowest cost of a row; `--check` exits with 1
if any ratio is above 1.3, or above 1.1 with invented names. Heartbeats and position updates are not included; their
cost does not depend on matches.

With `--against`, the heartbeats and a match of 10,000 servers on Redis follow (`benchmarks/store_scale.py`), in turn
with another checkout of this project; `--only-scale` measures nothing else.
"""

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from benchmarks.command import command_line
from benchmarks.figures import record
from benchmarks.redis_process import redis_server
from benchmarks.store_scale import measure_scale
from pixelfleet.fleet.bounds import WARM_UP_SECONDS
from pixelfleet.fleet.model import Lease, Policy, ServerReport, StreamerReport, Ticket
from pixelfleet.fleet.open import open_store
from pixelfleet.fleet.store import FleetStore, TicketRefusedError

SIZES: Final = (10, 100, 1_000, 10_000)
NAMES: Final = (0, 20_000)
POLICIES: Final[tuple[Policy, ...]] = ("spread", "pack", "oldest")
REGIONS: Final = ("eu", "us", "ap", "sa")
ON_A_NODE: Final = 5
BUSY: Final = 16
"""Servers whose slots become free in the measurement `waiting`; twice the concurrent players of `streamers`."""
STORES: Final = ("memory", "redis")
LIMIT: Final = 1.3
NAMES_LIMIT: Final = 1.1
FEW: Final = 100
"""Streamers, or waiting tickets, in the measurements with invented names."""


@dataclass
class Fleet:
    """One store, with calls for its owners."""

    store: FleetStore
    redis: Redis | None
    sequence: int = 0
    sessions: int = 0
    busy: list[str] = field(default_factory=list)

    async def reports(self, name: str, *held: str) -> None:
        """Report one server; everything in the report except the sessions is derived from its number."""
        number = int(name)
        self.sequence += 1
        region = REGIONS[number % len(REGIONS)]
        streamer = StreamerReport(
            server_id=name,
            endpoint_id="cam",
            app="app",
            url=f"ws://10.0.0.1:{number}",
            labels={"region": region, "gpu": "a10", "node": f"n{number // ON_A_NODE}"},
            node=f"n{number // ON_A_NODE}",
            sessions=held,
        )
        await self.store.report(ServerReport(server_id=name, sequence=self.sequence, streamers=(streamer,)))

    def ticket(self) -> Ticket:
        """Return a new ticket; every other one has a selector."""
        self.sessions += 1
        labels = {"region": REGIONS[self.sessions // 2 % len(REGIONS)]} if self.sessions % 2 else {}
        return Ticket(session_id=f"p{self.sessions}", replica_id="r1", app="app", labels=labels)

    async def cpu(self) -> float:
        """Return the CPU seconds used by this process and by Redis."""
        if self.redis is None:
            return time.process_time()
        used = await self.redis.info("cpu")
        return time.process_time() + float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


async def joins_and_ends(fleet: Fleet) -> int:
    """Match some players at once, then end their sessions; return the number of matches."""
    placed = await asyncio.gather(*(fleet.store.join(fleet.ticket()) for _ in range(BUSY // 2)))
    leases = [lease for lease in placed if isinstance(lease, Lease)]
    assert len(leases) == len(placed)
    await asyncio.gather(*(fleet.reports(each.streamer.server_id, each.session_id) for each in leases))
    await asyncio.gather(*(fleet.reports(each.streamer.server_id) for each in leases))
    return len(leases)


async def frees_and_claims(fleet: Fleet) -> int:
    """Free some slots for waiting tickets, then queue as many new ones; return the number of matches."""
    await asyncio.gather(*(fleet.reports(name) for name in fleet.busy))
    leases = (await fleet.store.renew("r1", "")).leases
    assert len(leases) == len(fleet.busy)
    await asyncio.gather(*(fleet.reports(each.streamer.server_id, each.session_id) for each in leases))
    await asyncio.gather(*(fleet.store.join(fleet.ticket()) for _ in leases))
    return len(leases)


async def reads_totals(fleet: Fleet) -> int:
    """Read the totals once."""
    assert (await fleet.store.totals()).apps
    return 1


MEASURES: Final = {"streamers": joins_and_ends, "waiting": frees_and_claims}
WITH_NAMES: Final = {"names": joins_and_ends, "queue": frees_and_claims, "totals": reads_totals}


async def invent(fleet: Fleet, names: int) -> None:
    """Join for applications that do not exist; the store refuses most."""
    for number in range(names):
        with suppress(TicketRefusedError):
            await fleet.store.join(Ticket(session_id=f"n{number}", replica_id="r2", app=f"invented-{number}"))


async def prepare(fleet: Fleet, measure: str, size: int) -> None:
    if measure in WITH_NAMES:
        await prepare(fleet, "waiting" if measure == "queue" else "streamers", FEW)
        await invent(fleet, size)
        return
    if measure == "streamers":
        for start in range(0, size, 200):
            await asyncio.gather(*(fleet.reports(str(each)) for each in range(start, min(size, start + 200))))
        return
    fleet.busy = [str(number) for number in range(BUSY)]
    await asyncio.gather(*(fleet.reports(name, f"x{name}") for name in fleet.busy))
    for start in range(0, size + BUSY, 200):
        await asyncio.gather(*(fleet.store.join(fleet.ticket()) for _ in range(min(200, size + BUSY - start))))


async def measured(fleet: Fleet, measure: str, matches: int) -> float:
    """Return the microseconds of CPU per match."""
    work, done = {**MEASURES, **WITH_NAMES}[measure], 0
    await work(fleet)
    gc.collect()
    before = await fleet.cpu()
    while done < matches:
        done += await work(fleet)
    return (await fleet.cpu() - before) / done * 1e6


def sizes_of(measure: str) -> tuple[int, ...]:
    return NAMES if measure in WITH_NAMES else SIZES


@asynccontextmanager
async def fleets(url: str, measure: str, clock: list[float]) -> AsyncIterator[dict[int, Fleet]]:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(Redis.from_url(url)) if url else None
        made = {}
        for size in sizes_of(measure):
            prefix = f"{{{measure}-{size}}}:"
            store = await stack.enter_async_context(open_store(url, prefix=prefix, clock=lambda: clock[0]))
            made[size] = Fleet(store, redis)
            await store.totals()
        clock[0] += WARM_UP_SECONDS
        for size, fleet in made.items():
            await prepare(fleet, measure, size)
        yield made


async def table(name: str, url: str, measure: str, rounds: int, matches: int) -> list[tuple[str, list[float]]]:
    """Return a row for each policy: the microseconds per match for each size."""
    rows = []
    # The clock moves by a millisecond per measurement, so that no fact expires, as with regular heartbeats.
    clock = [time.time()]
    async with fleets(url, measure, clock) as made:
        for policy in POLICIES if measure in MEASURES else POLICIES[:1]:
            for fleet in made.values():
                await fleet.store.set_policies({"app": policy})
            lowest = dict.fromkeys(made, float("inf"))
            for _ in range(rounds):
                for size, fleet in made.items():
                    clock[0] += 0.001
                    lowest[size] = min(lowest[size], await measured(fleet, measure, matches))
            rows.append((f"{name:7}{measure:10}{policy:7}", list(lowest.values())))
    return rows


async def run(stores: Sequence[str], rounds: int, matches: int) -> bool:
    flat = True
    with redis_server() as redis_url:
        for measures, limit in ((MEASURES, LIMIT), (WITH_NAMES, NAMES_LIMIT)):
            heads = "".join(f"{size:>9,}" for size in sizes_of(next(iter(measures))))
            print(f"{'us of CPU per match':24}{heads}   {'ratio':>6}")
            for name in stores:
                url = redis_url if name == "redis" else ""
                for measure in measures:
                    for title, costs in await table(name, url, measure, rounds, matches):
                        flat = print_row(title, costs, limit) and flat
    return flat


def print_row(title: str, costs: Sequence[float], limit: float) -> bool:
    """Print one row; return whether its ratio is within the limit."""
    ratio = max(costs) / min(costs)
    record(f"growth of a match, {' '.join(title.split())}", ratio, goal=limit)
    numbers = "".join(f"{cost:9.0f}" for cost in costs)
    print(f"{title}{numbers}   {ratio:6.2f}{'' if ratio <= limit else '  grows'}", flush=True)
    return ratio <= limit


def main() -> None:
    parser = command_line("the cost of a match as the fleet and the queue grow", rounds=8)
    parser.add_argument("--matches", type=int, default=160, help="in each round")
    parser.add_argument("--store", choices=STORES, action="append", help="only this one")
    parser.add_argument("--against", type=Path, help="another checkout of this project, with a .venv of its own")
    parser.add_argument("--only-scale", action="store_true", help="only the rows of `--against`")
    args = parser.parse_args()
    if args.only_scale and not args.against:
        parser.error("--only-scale needs --against")
    flat = args.only_scale or asyncio.run(run(args.store or STORES, args.rounds, args.matches))
    if args.against:
        flat = measure_scale(args.against.resolve(), args.rounds) and flat
    sys.exit(1 if args.check and not flat else 0)


if __name__ == "__main__":
    main()
