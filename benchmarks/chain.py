"""The cost of a message from the router to the signalling server: our three services against their floors.

    python -m benchmarks.chain [--rounds 5] [--seconds 4] [--players 100] [--streamers 10] [--check]

Players bounce ICE candidates off streamers, through router, matchmaker and signalserver with default settings but no
limits of an address (on one redis-server), and through two bare proxies and a bare aiohttp relay in a row. Both chains
get the same load in every round, in alternating order and in fresh processes. The result is the ratio of the medians of
the total CPU time for a message. `--check` exits with 1 when the goal is missed.
"""

import argparse
import secrets
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks.command import command_line, measured, verdict
from benchmarks.figures import record
from benchmarks.load import Phase, connected
from benchmarks.matching.processes import free_port, proxy, redis, redis_folder, wait_until_ready
from benchmarks.processes import Program, Server, start_python

FLOOR: Final = "bare"
OURS: Final = "pixelfleet"
PARTS: Final = {
    FLOOR: ("picows proxy", "picows proxy", "aiohttp relay"),
    OURS: ("router", "matchmaker", "signalserver"),
}
MOST: Final = 0.9
"""The message passes router and signalserver only; the floor has three processes."""
WARM_UP_SECONDS: Final = 1.0
APP: Final = "default"
PIXELFLEET: Final = (sys.executable, "-m", "pixelfleet_cli.cli")

Samples = dict[str, list[Phase]]
"""The rounds of each chain."""


def _server(entry: Program, between: Program, relay: Program, path: str) -> Server:
    player, streamer = entry.facts["port"], relay.facts["streamers"]
    pids = (between.pid, relay.pid)
    return Server(f"ws://127.0.0.1:{player}/{path}", f"ws://127.0.0.1:{streamer}/", entry.pid, pids)


@asynccontextmanager
async def _ending() -> AsyncIterator[Callable[[Awaitable[Program]], Awaitable[Program]]]:
    """Yield a function that starts a program which ends with the body."""
    async with AsyncExitStack() as stack:

        async def ended(starting: Awaitable[Program]) -> Program:
            program = await starting
            stack.push_async_callback(program.end)
            return program

        yield ended


@asynccontextmanager
async def bare(_: argparse.Namespace) -> AsyncIterator[Server]:
    """Run the floor: proxy, proxy, relay."""
    async with _ending() as ended:
        relay = await ended(start_python("benchmarks.bare_relay", "aiohttp", fact="players"))
        inner = await ended(proxy(f"ws://127.0.0.1:{relay.facts['players']}/"))
        outer = await ended(proxy(f"ws://127.0.0.1:{inner.facts['port']}/"))
        yield _server(outer, inner, relay, "")


@asynccontextmanager
async def ours(args: argparse.Namespace) -> AsyncIterator[Server]:
    """Run router, matchmaker and signalserver on one redis-server, with slots for all players."""
    async with services(-(-args.players // args.streamers)) as chain:
        yield _server(chain.router, chain.matchmaker, chain.signals, "ws")


@dataclass(frozen=True, slots=True)
class Chain:
    """The processes of the chain."""

    router: Program
    matchmaker: Program
    signals: Program
    store: Program


@asynccontextmanager
async def services(capacity: int, program: Sequence[str] = PIXELFLEET) -> AsyncIterator[Chain]:
    """Run router, matchmaker and signalserver on one redis-server, with `capacity` slots for each streamer.

    `program` is the command line of the services up to their names.
    """
    async with AsyncExitStack() as stack:
        ended = await stack.enter_async_context(_ending())
        port = free_port()
        folder = await stack.enter_async_context(redis_folder())
        store = await ended(redis(port, folder))
        key = ("--session-key", secrets.token_hex(32))
        fleet = ("--redis-url", f"redis://127.0.0.1:{port}", *key)
        ports = [each for name in ("player", "streamer", "sfu") for each in (f"--{name}-port", "0")]
        slots = (*ports, "--app", APP, "--capacity", str(capacity))
        signals = await ended(_service(program, "signalserver", *fleet, *slots, fact="players"))
        matches = await ended(_service(program, "matchmaker", *fleet, "--port", "0", fact="port"))
        await wait_until_ready(matches.facts["port"])
        page = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (page / "index.html").write_text("<!doctype html>", encoding="utf-8")
        entry = await ended(
            _service(
                program,
                "router",
                *("--port", "0", "--matchmaker", f"ws://127.0.0.1:{matches.facts['port']}", "--page", str(page)),
                *("--joins-per-minute", "0", "--connections-per-address", "0", *key),
                fact="port",
            )
        )
        await wait_until_ready(entry.facts["port"])
        yield Chain(entry, matches, signals, store)


async def _service(program: Sequence[str], name: str, *options: str, fact: str) -> Program:
    common = ("--log-format", "json", "--host", "127.0.0.1", "--metrics-port", "0")
    return await start_python(name, *common, *options, fact=fact, program=program)


async def rounds(args: argparse.Namespace, console: Console) -> Samples:
    """Load both chains in every round."""
    chains = {FLOOR: (bare, ""), OURS: (ours, APP)}
    samples: Samples = {name: [] for name in chains}
    for number in range(args.rounds):
        for name in list(chains) if number % 2 else list(reversed(chains)):
            start, shown_as = chains[name]
            with console.status(f"round {number + 1} of {args.rounds}: {name}"):
                async with start(args) as server, connected(server, args.players, args.streamers, shown_as) as load:
                    await load.closed_loop(WARM_UP_SECONDS)
                    samples[name].append(await load.closed_loop(args.seconds))
    return samples


def cost(phases: Sequence[Phase]) -> float:
    """Return the median CPU time of a whole chain for a message, in microseconds."""
    return statistics.median(phase.cpu_us or 0.0 for phase in phases)


def ratio(samples: Samples) -> float:
    """Return our median cost of a message as a multiple of the floor's."""
    return cost(samples[OURS]) / cost(samples[FLOOR])


def spread(samples: Samples) -> tuple[float, float]:
    """Return the smallest and the largest ratio of a round, which shows the noise of the machine."""
    ratios = [cost([one]) / cost([base]) for one, base in zip(samples[OURS], samples[FLOOR], strict=True)]
    return min(ratios), max(ratios)


def lines(samples: Samples) -> list[str]:
    """Return the costs of each chain and of its parts, as text."""
    found = []
    for name, phases in samples.items():
        parts = zip(*(phase.cpu_us_each for phase in phases), strict=True)
        each = ", ".join(
            f"{part} {statistics.median(costs):.1f}" for part, costs in zip(PARTS[name], parts, strict=True)
        )
        rate = statistics.median(phase.messages_per_second for phase in phases)
        found.append(f"{name:12} {cost(phases):6.1f} us CPU a message ({each})  {rate:8,.0f} messages/s")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = command_line(
        "the cost of a message through router, matchmaker and signalserver",
        rounds=5,
        seconds=4.0,
        players=100,
        streamers=10,
    )
    args = parser.parse_args(argv)
    samples = measured("chain", rounds(args, Console(stderr=True)))
    print(f"Medians of {args.rounds} rounds; {args.players} players on {args.streamers} streamers.")
    print(*lines(samples), sep="\n")
    least, most = spread(samples)
    found = ratio(samples)
    record("CPU a message", found, goal=MOST)
    print(f"CPU a message: x{found:.2f} (rounds x{least:.2f} to x{most:.2f}), goal x{MOST} or less")
    lost = sum(phase.lost for phases in samples.values() for phase in phases)
    missed = [f"{lost} messages lost"] if lost else []
    if found > MOST:
        missed.append(f"CPU a message: x{found:.2f}, the goal is x{MOST} or less")
    return verdict(missed, check=args.check)


if __name__ == "__main__":
    sys.exit(main())
