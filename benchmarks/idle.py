"""The cost of idle players: memory for each, CPU of the server, and whether all stay connected.

    python -m benchmarks.idle [--players 5000] [--seconds 60] [--server pixelfleet] [--check]

The server runs in a process of its own; the players, in this one, only answer pings. At the end each requests a
`pong`, because a connection can look open on one side only. `--check` exits with 1 when a goal is missed.
"""

import asyncio
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import orjson
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from benchmarks.command import command_line, measured, verdict
from benchmarks.figures import record
from benchmarks.processes import COMMANDS, cpu_seconds, resident_kib, started

MAX_KIB: Final = 16.0
MAX_CPU_SHARE: Final = 0.10
OTHER_FILES: Final = 200
"""File descriptors that a process needs in addition to the players' ones."""
SETTLE_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 15.0
PING: Final = orjson.dumps({"type": "ping", "time": 0})


class IdlePlayer(WSListener):
    """Answers pings, and counts them."""

    transport: WSTransport

    def __init__(self) -> None:
        self.pings = 0
        self.dropped = False
        self.alive = asyncio.Event()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.dropped = True

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.PING:
            self.pings += 1
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()
        elif frame.msg_type is WSMsgType.TEXT and b'"pong"' in frame.get_payload_as_bytes():
            self.alive.set()


@dataclass(frozen=True, slots=True)
class Figures:
    """The measured costs."""

    players: int
    kib_each: float
    cpu_share: float
    """Share of one core, while nothing happened but pings."""
    accept_us: float
    """CPU time to accept one player."""
    pings_each: float
    dropped: int
    answered: int
    """The number of players that got an answer at the end."""


def failures(figures: Figures, *, asked: bool = True) -> list[str]:
    """Return the missed goals; `asked` is whether the answers at the end count."""
    found = []
    if figures.dropped:
        found.append(f"{figures.dropped} players dropped, the goal is none")
    if asked and figures.answered < figures.players:
        found.append(f"{figures.players - figures.answered} players got no answer at the end")
    if figures.kib_each > MAX_KIB:
        found.append(f"{figures.kib_each:.1f} KiB a player, the goal is {MAX_KIB:.0f} or less")
    if figures.cpu_share >= MAX_CPU_SHARE:
        found.append(f"{figures.cpu_share:.1%} of a core, the goal is less than {MAX_CPU_SHARE:.0%}")
    return found


async def measure(name: str, count: int, seconds: float, console: Console) -> Figures:
    """Keep players idle on a server for this time."""
    async with started(name) as server:
        assert server.pid is not None
        memory, cpu = resident_kib(server.pid), cpu_seconds(server.pid)
        with ExitStack() as stack:
            players = []
            with console.status(f"connecting {count} players to {name}"):
                for _ in range(count):
                    player = IdlePlayer()
                    await ws_connect(lambda player=player: player, server.player_url, enable_auto_pong=False)
                    stack.callback(player.transport.disconnect, graceful=False)
                    players.append(player)
            accepted = cpu_seconds(server.pid) - cpu
            await asyncio.sleep(SETTLE_SECONDS)
            before, begun = cpu_seconds(server.pid), time.perf_counter()
            with console.status(f"{count} players idle for {seconds:.0f} s"):
                await asyncio.sleep(seconds)
            share = (cpu_seconds(server.pid) - before) / (time.perf_counter() - begun)
            occupied = resident_kib(server.pid) - memory
            return Figures(
                players=count,
                kib_each=occupied / count,
                cpu_share=share,
                accept_us=accepted / count * 1e6,
                pings_each=sum(player.pings for player in players) / count,
                answered=await answers(players),
                dropped=sum(player.dropped for player in players),
            )


async def answers(players: Sequence[IdlePlayer]) -> int:
    """Send a ping from every player; return the number of those that got an answer in time."""
    for player in players:
        if not player.dropped:
            player.transport.send(WSMsgType.TEXT, PING)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            for player in players:
                if not player.dropped:
                    await player.alive.wait()
    except TimeoutError:
        pass
    return sum(player.alive.is_set() for player in players)


def allow_files(count: int) -> None:
    """Raise this process's limit of open files, which children inherit; raise OSError above the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise OSError(f"at most {hard} files may be open here and {count} are needed: raise `ulimit -Hn`")
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def table(figures: Figures, name: str, seconds: float) -> Table:
    """Return the figures as a table."""
    shown = Table(
        f"{figures.players:,} idle players for {seconds:.0f} s", Column(name, justify="right"), box=SIMPLE_HEAD
    )
    shown.add_row("KiB a player", f"{figures.kib_each:.1f}")
    shown.add_row("CPU, share of a core", f"{figures.cpu_share:.1%}")
    shown.add_row("CPU to accept one, us", f"{figures.accept_us:.0f}")
    shown.add_row("pings to each", f"{figures.pings_each:.1f}")
    shown.add_row("dropped", str(figures.dropped))
    shown.add_row("answered at the end", str(figures.answered))
    return shown


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = command_line("the cost of idle players", seconds=60.0, players=5000)
    parser.add_argument("--server", choices=COMMANDS, default="pixelfleet")
    args = parser.parse_args(argv)
    if args.players <= 0 or args.seconds <= 0:
        parser.error("--players and --seconds must be greater than 0")
    allow_files(args.players + OTHER_FILES)
    figures = measured("idle", measure(args.server, args.players, args.seconds, Console(stderr=True)))
    record("memory of an idle player", figures.kib_each, "KiB", goal=MAX_KIB)
    record("CPU of all", 100 * figures.cpu_share, "% of a core", goal=100 * MAX_CPU_SHARE)
    Console().print(table(figures, args.server, args.seconds))
    # The bare relays do not support the `ping` message.
    return verdict(failures(figures, asked=args.server == "pixelfleet"), check=args.check)


if __name__ == "__main__":
    sys.exit(main())
