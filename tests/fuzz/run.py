"""One fuzz run: a real server, a pair that behaves, many who do not, and what was wrong at the end."""

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
    # Often enough for a short run to see pings, their answers, and peers that never answer.
    *("--ping-interval", "4", "--pong-timeout", "4", "--identify-seconds", "2"),
    *("--max-bad-messages", "150", "--spread-seconds", "0"),
)

PLAYERS, STREAMERS, SFUS, KNOCKERS = 16, 4, 3, 4

MAX_GROWTH_BYTES: Final = 24 * 1024 * 1024
"""What the memory may grow from the warm-up to the end.

Each live connection may hold a read buffer that grew to two messages (0.5 MiB, of some 20 connections), sockets
that are gone wait in the heartbeat's queue until they are due, and the allocator keeps pages that are partly used:
between runs of the same length this differs by some MiB. A leak is told from that by the length of a run: over
800,000 frames 24 MiB are 31 bytes a frame, less than the smallest object.
"""
WARM_UP: Final = (0.2, 0.3)
LAST_PART: Final = 0.9
SAMPLE_SECONDS: Final = 0.5
MAX_SERIES: Final = 400
"""Time series that the metrics may have: strangers must not be able to make more."""


@dataclass(slots=True)
class Outcome:
    """What a run did and found."""

    seed: int
    tally: Tally
    seconds: float = 0.0
    received: int = 0
    """Whole messages that reached the server's rules."""
    exchanged: int = 0
    slowest: float = 0.0
    samples: list[tuple[float, int]] = field(default_factory=list)
    """How much of the run was over, from 0 to 1, and the server's memory in bytes."""
    files: tuple[int, int] = (0, 0)
    """The server's open files before the attack and after it."""
    series: int = 0
    problems: list[str] = field(default_factory=list)

    def memory(self, start: float, end: float = 1.0) -> int:
        """Return the median of the memory in a part of the run, in bytes."""
        part = [size for at, size in self.samples if start <= at <= end]
        return int(median(part or [size for _, size in self.samples[-1:]] or [0]))

    @property
    def growth(self) -> int:
        """How much larger the memory is at the end than after the warm-up, in bytes."""
        return self.memory(LAST_PART) - self.memory(*WARM_UP)

    def lines(self) -> list[str]:
        """Return the figures as text."""
        tally, mib = self.tally, 1024 * 1024
        peak = max((size for _, size in self.samples), default=0)
        rate = tally.frames / self.seconds if self.seconds else 0.0
        return [
            f"seed {self.seed}: {tally.frames:,} frames ({tally.octets / mib:,.0f} MiB) in {self.seconds:.1f} s, "
            f"{rate:,.0f}/s; {self.received:,} messages reached the rules",
            f"{tally.connections:,} connections, {tally.heads:,} strange heads; "
            f"open files {self.files[0]} -> {self.files[1]}; {self.series} time series",
            f"memory {self.memory(*WARM_UP) / mib:.1f} -> {self.memory(LAST_PART) / mib:.1f} MiB, "
            f"at most {peak / mib:.1f}; the pair exchanged {self.exchanged:,}, slowest {self.slowest * 1000:.0f} ms",
            "closed by the server: " + ", ".join(f"{code}: {count:,}" for code, count in sorted(tally.closes.items())),
            *(f"PROBLEM: {problem}" for problem in self.problems),
        ]


async def fuzz(frames: int, seed: int, *, most_seconds: float, tell: Callable[[str], None] | None = None) -> Outcome:
    """Send at least so many frames, for so long at most; tell how it goes every few seconds."""
    random = Random(f"{seed}/secret")
    secret = f"only-the-pair-{random.getrandbits(64):016x}"
    outcome = Outcome(seed, Tally(frames, secret.encode()))
    async with signalserver(*OPTIONS) as server:
        pair = Pair(server.player_port, server.streamer_port, "the-first-streamer", secret, MESSAGE_BYTES)
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(most_seconds), _behaving(pair):
                await _attack(server, pair, outcome, tell)
        except TimeoutError:
            outcome.problems.append(f"only {outcome.tally.frames:,} frames were sent in {most_seconds:g} s")
        except BaseExceptionGroup as errors:
            outcome.problems.extend(_texts(errors))
        outcome.seconds = outcome.seconds or time.perf_counter() - begun
        outcome.exchanged, outcome.slowest = pair.exchanged, pair.slowest
        outcome.problems.extend(f"{what} ({count} times)" for what, count in outcome.tally.wrong.items())
        await _look_at_end(server, outcome)
    return outcome


@asynccontextmanager
async def _behaving(pair: Pair) -> AsyncIterator[None]:
    """Let the pair exchange messages until the body is over and its last message was answered."""
    async with asyncio.TaskGroup() as group:
        group.create_task(pair.run())
        await pair.ready.wait()
        yield
        pair.stop.set()


async def _attack(server: Server, pair: Pair, outcome: Outcome, tell: Callable[[str], None] | None) -> None:
    """Attack until enough frames were sent, and see that nothing is left of it."""
    tally, begun = outcome.tally, time.perf_counter()
    files = server.open_files()
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(_watch(server, outcome, tell))
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

    await eventually(gone, "nobody is left but the pair", within=20)
    for path in ("/livez", "/readyz"):
        if (status := await server.status(path)) != 200:
            outcome.problems.append(f"{path} answered {status}")
    outcome.files = (files, server.open_files())
    if outcome.files[1] > files + 2:
        outcome.problems.append(f"{outcome.files[1] - files} files stayed open")


def _attackers(server: Server, pair: Pair, seed: int, tally: Tally) -> list[Attacker]:
    world = World([*NAMES, pair.name, pair.name])
    roles = [("player", server.player_port)] * PLAYERS + [("streamer", server.streamer_port)] * STREAMERS
    roles += [("sfu", server.sfu_port)] * SFUS
    return [
        Attacker(role, port, Random(f"{seed}/{role}/{number}"), world, tally, MESSAGE_BYTES)
        for number, (role, port) in enumerate(roles)
    ]


async def _watch(server: Server, outcome: Outcome, tell: Callable[[str], None] | None) -> None:
    """Take samples of the memory, and tell of every tenth."""
    begun = time.perf_counter()
    while True:
        size = await server.memory()
        tally = outcome.tally
        outcome.samples.append((tally.frames / tally.wanted, size))
        if tell is not None and len(outcome.samples) % 10 == 0:
            seconds = time.perf_counter() - begun
            tell(f"{seconds:4.0f} s: {tally.frames:>9,} frames, {tally.frames / seconds:,.0f}/s, {size >> 20} MiB")
        await asyncio.sleep(SAMPLE_SECONDS)


async def _look_at_end(server: Server, outcome: Outcome) -> None:
    """See whether the process lives, is as it was, and ends in good order."""
    try:
        outcome.received = await server.messages_received()
        outcome.series = len(await server.metrics())
        if outcome.series > MAX_SERIES:
            outcome.problems.append(f"there are {outcome.series} time series")
        if (code := await server.stop()) != 0:
            outcome.problems.append(f"the process ended with {code}")
    except (aiohttp.ClientError, TimeoutError) as error:
        outcome.problems.append(f"the server is gone or hangs: {error!r} (exit code {server.process.returncode})")
    if outcome.growth > MAX_GROWTH_BYTES:
        outcome.problems.append(f"the memory grew by {outcome.growth >> 20} MiB after the warm-up")
    outcome.problems.extend(f"logged: {line}" for line in server.errors_logged()[:5])


def _texts(errors: BaseExceptionGroup[BaseException]) -> list[str]:
    texts: list[str] = []
    for error in errors.exceptions:
        texts.extend(_texts(error) if isinstance(error, BaseExceptionGroup) else [f"{type(error).__name__}: {error}"])
    return texts
