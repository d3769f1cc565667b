"""One fuzz run: a real server, a well-behaved pair, many attackers, and the problems found."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import Final

import aiohttp

from tests.fuzz.attackers import Attacker, Knocker, Tally
from tests.fuzz.messages import NAMES, World
from tests.fuzz.pair import Pair
from tests.fuzz.server import Server, signalserver
from tests.parts import eventually

MESSAGE_BYTES: Final = 256 * 1024
HANDSHAKE_SECONDS: Final = 2.0
OPTIONS: Final = (
    *("--rest-api", "--max-message-bytes", str(MESSAGE_BYTES), "--handshake-seconds", f"{HANDSHAKE_SECONDS:g}"),
    # Short intervals, so that a short run includes pings, pongs, and peers that never answer.
    *("--ping-interval", "4", "--pong-timeout", "4", "--identify-seconds", "2"),
    *("--max-bad-messages", "150", "--spread-seconds", "0"),
    # All peers have one address, and most of their connections end at once.
    *("--hold-seconds", "0"),
)

PLAYERS, STREAMERS, SFUS, KNOCKERS = 16, 4, 3, 4

MIB: Final = 1024 * 1024
MAX_BYTES: Final = 64 * MIB
"""The maximum memory above that before the attack.

About 30 peers are connected at a time. Each may hold a read buffer that grew to twice the largest message (0.5 MiB)
and an unsent MiB, and closed ones remain in the heartbeat queue until they are due. That is 45 MiB.
"""
MAX_GROWTH_BYTES: Final = 12 * MIB
"""The maximum growth from the end of the warm-up to the end of the run.

Between runs of one length this differs by some MiB, since the allocator keeps partly used pages. What distinguishes
a leak is the length of the run: over 700,000 frames this is 18 bytes a frame, the smallest object has 16.
"""
WARM_UP: Final = (0.2, 0.3)
LAST_PART: Final = 0.9
LONG_RUN: Final = 500_000
"""From this number of frames on, a run is long enough for its warm-up: all buffers have grown by then."""
SAMPLE_SECONDS: Final = 0.1
REPORT_SECONDS: Final = 5.0
MAX_SERIES: Final = 400
"""The maximum number of time series: clients must not be able to create more."""


@dataclass(slots=True)
class Outcome:
    """The results of a run."""

    seed: int
    tally: Tally
    seconds: float = 0.0
    received: int = 0
    """Complete messages that reached the server's rules."""
    exchanged: int = 0
    slowest: float = 0.0
    samples: list[tuple[float, int]] = field(default_factory=list)
    """The progress of the run, from 0 to 1, and the server's memory in bytes."""
    files: tuple[int, int] = (0, 0)
    """The server's open files before and after the attack."""
    series: int = 0
    problems: list[str] = field(default_factory=list)

    def memory(self, start: float, end: float = 1.0) -> int:
        """Return the median of the memory in a part of the run, in bytes."""
        part = [size for at, size in self.samples if start <= at <= end]
        return int(median(part or [size for _, size in self.samples[-1:]] or [0]))

    @property
    def peak(self) -> int:
        """The largest memory sample, in bytes."""
        return max(size for _, size in self.samples)

    @property
    def growth(self) -> int:
        """The growth of the memory from the warm-up to the end, in bytes."""
        return self.memory(LAST_PART) - self.memory(*WARM_UP)

    def lines(self) -> list[str]:
        """Return the figures as text."""
        tally = self.tally
        rate = tally.frames / self.seconds if self.seconds else 0.0
        return [
            f"seed {self.seed}: {tally.frames:,} frames ({tally.octets / MIB:,.0f} MiB) in {self.seconds:.1f} s, "
            f"{rate:,.0f}/s; {self.received:,} messages reached the rules",
            f"{tally.connections:,} connections, {tally.heads:,} malformed heads; "
            f"open files {self.files[0]} -> {self.files[1]}; {self.series} time series",
            f"memory {self.samples[0][1] / MIB:.1f} at first, {self.memory(*WARM_UP) / MIB:.1f} after the warm-up, "
            f"{self.memory(LAST_PART) / MIB:.1f} MiB at the end, {self.peak / MIB:.1f} at most",
            f"the pair exchanged {self.exchanged:,} messages, the slowest in {self.slowest * 1000:.0f} ms",
            "closed by the server: " + ", ".join(f"{code}: {count:,}" for code, count in sorted(tally.closes.items())),
            *(f"PROBLEM: {problem}" for problem in self.problems),
        ]


async def fuzz(frames: int, seed: int, *, max_seconds: float, report: Callable[[str], None] | None = None) -> Outcome:
    """Send at least `frames` frames, in at most `max_seconds`; report the progress every few seconds."""
    random = Random(f"{seed}/secret")
    secret = f"only-the-pair-{random.getrandbits(64):016x}"
    outcome = Outcome(seed, Tally(frames, secret.encode()))
    async with signalserver(*OPTIONS) as server:
        outcome.samples.append((0.0, await server.memory()))
        pair = Pair(server.player_port, server.streamer_port, "the-first-streamer", secret, MESSAGE_BYTES)
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(max_seconds), _behaving(pair):
                await _attack(server, pair, outcome, report)
        except TimeoutError:
            outcome.problems.append(f"only {outcome.tally.frames:,} frames were sent in {max_seconds:g} s")
        except BaseExceptionGroup as errors:
            outcome.problems.extend(dict.fromkeys(_texts(errors)))
        outcome.seconds = outcome.seconds or time.perf_counter() - begun
        outcome.exchanged, outcome.slowest = pair.exchanged, pair.slowest
        outcome.problems.extend(f"{what} ({count} times)" for what, count in outcome.tally.wrong.items())
        await _look_at_end(server, outcome)
    return outcome


@asynccontextmanager
async def _behaving(pair: Pair) -> AsyncIterator[None]:
    """Let the pair exchange messages while the body runs, until its last message is answered."""
    async with asyncio.TaskGroup() as group:
        group.create_task(pair.run())
        await pair.ready.wait()
        yield
        pair.stop.set()


async def _attack(server: Server, pair: Pair, outcome: Outcome, report: Callable[[str], None] | None) -> None:
    """Attack until enough frames have been sent, and check that nothing remains."""
    tally, begun = outcome.tally, time.perf_counter()
    files = server.open_files()
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(_watch(server, outcome, report))
        async with asyncio.TaskGroup() as attack:
            for attacker in _attackers(server, pair, outcome.seed, tally):
                attack.create_task(attacker.run())
            ports = (server.player_port, server.streamer_port, server.sfu_port)
            for number in range(KNOCKERS):
                knocker = Knocker(ports, Random(f"{outcome.seed}/heads/{number}"), tally, HANDSHAKE_SECONDS)
                attack.create_task(knocker.send_heads())
                attack.create_task(knocker.send_halves())
        watch.cancel()
    outcome.seconds = time.perf_counter() - begun

    async def gone() -> bool:
        players, streamers = await server.read("/api/players"), await server.read("/api/streamers")
        return [each["playerId"] for each in players] == [pair.player_id] and len(streamers) == 1

    await eventually(gone, "only the pair is connected")
    for path in ("/livez", "/readyz"):
        if (status := await server.status(path)) != 200:
            outcome.problems.append(f"{path} answered {status}")
    outcome.files = (files, server.open_files())
    if outcome.files[1] > files + 2:
        outcome.problems.append(f"{outcome.files[1] - files} files remained open")


def _attackers(server: Server, pair: Pair, seed: int, tally: Tally) -> list[Attacker]:
    world = World([*NAMES, pair.name, pair.name])
    roles = [("player", server.player_port)] * PLAYERS + [("streamer", server.streamer_port)] * STREAMERS
    roles += [("sfu", server.sfu_port)] * SFUS
    return [
        Attacker(role, port, Random(f"{seed}/{role}/{number}"), world, tally, MESSAGE_BYTES)
        for number, (role, port) in enumerate(roles)
    ]


async def _watch(server: Server, outcome: Outcome, report: Callable[[str], None] | None) -> None:
    """Sample the memory, and report the progress."""
    tally, begun, reported = outcome.tally, time.perf_counter(), 0.0
    while True:
        size = await server.memory()
        outcome.samples.append((tally.frames / tally.wanted, size))
        seconds = time.perf_counter() - begun
        if report is not None and seconds >= reported + REPORT_SECONDS and not tally.over:
            reported = seconds
            report(
                f"{seconds:4.0f} s: {tally.frames:>9,} frames, {tally.frames / seconds:,.0f}/s, {size / MIB:.1f} MiB"
            )
        await asyncio.sleep(SAMPLE_SECONDS)


async def _look_at_end(server: Server, outcome: Outcome) -> None:
    """Check that the process lives, is in its initial state, and stops gracefully."""
    try:
        outcome.received = await server.messages_received()
        outcome.series = len(await server.metrics())
        if outcome.series > MAX_SERIES:
            outcome.problems.append(f"there are {outcome.series} time series")
        if (code := await server.stop()) != 0:
            outcome.problems.append(f"the process exited with {code}")
    except (aiohttp.ClientError, TimeoutError) as error:
        outcome.problems.append(f"the server has exited or hangs: {error!r} (exit code {server.process.returncode})")
    if outcome.peak - outcome.samples[0][1] > MAX_BYTES:
        outcome.problems.append("the memory grew too far")
    if outcome.tally.wanted >= LONG_RUN and outcome.growth > MAX_GROWTH_BYTES:
        outcome.problems.append(f"the memory grew by {outcome.growth / MIB:.1f} MiB after the warm-up")
    outcome.problems.extend(f"logged: {line}" for line in server.errors_logged()[:5])


def _texts(errors: BaseExceptionGroup[BaseException]) -> list[str]:
    texts: list[str] = []
    for error in errors.exceptions:
        texts.extend(_texts(error) if isinstance(error, BaseExceptionGroup) else [f"{type(error).__name__}: {error}"])
    return texts
