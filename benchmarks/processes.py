"""The measured programs, each in a process of its own, and their resource usage from /proc."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

START_SECONDS: Final = 60.0
LINE_BYTES: Final = 16 * 1024
"""The longest line of a program's output that is kept; twice as much is read ahead."""
ROOT: Final = Path(__file__).parent.parent

PIXELFLEET: Final = (
    *("pixelfleet_cli.cli", "signalserver", "--log-format", "json", "--host", "127.0.0.1"),
    *("--player-port", "0", "--streamer-port", "0", "--sfu-port", "0", "--metrics-port", "0"),
)
"""Our server with default settings: validation, metrics, limits and info logging. It logs JSON with its ports."""

COMMANDS: Final = {
    "bare aiohttp": ("benchmarks.bare_relay", "aiohttp"),
    "bare picows": ("benchmarks.bare_relay", "picows"),
    "pixelfleet": PIXELFLEET,
}
"""The measured servers: Python modules and their arguments."""


class StartError(RuntimeError):
    """A server did not start; the text has its last lines."""


class Output:
    """The output of a program: a pipe that is read all the time, or not at all while it is blocked."""

    def __init__(self, log: Path | None) -> None:
        self.lines = asyncio.StreamReader(LINE_BYTES)
        self._log = log
        self._reads = asyncio.Event()
        self._reads.set()
        self._transport: asyncio.BaseTransport | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> int:
        """Return the end of the pipe for the program, which the caller closes."""
        # A pipe as operators have it; those that uvloop makes are pairs of sockets.
        read_end, write_end = os.pipe()
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self.lines), os.fdopen(read_end, "rb")
        )
        return write_end

    def follow(self) -> None:
        """Read on, so that the program never blocks; keep lines above the level info."""
        self._task = asyncio.create_task(self._follow())

    def block(self) -> None:
        """Stop reading: the next lines soon fill the buffer and the pipe."""
        self._reads.clear()

    def unblock(self) -> None:
        """Read again."""
        self._reads.set()

    def close(self) -> None:
        """Close the pipe."""
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.close()

    async def _follow(self) -> None:
        while True:
            await self._reads.wait()
            try:
                line = await self.lines.readline()
            except ValueError:  # longer than LINE_BYTES
                continue
            if not line:
                return
            if self._log is not None and b'"level":"info"' not in line:
                with self._log.open("ab") as file:
                    file.write(line)


@dataclass(slots=True)
class Program:
    """A running program."""

    process: asyncio.subprocess.Process
    facts: dict[str, int]
    """The numbers in the log line that announces its listeners, including its ports."""
    output: Output | None = None
    """None if it has none."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if the program is running."""
        if self.process.returncode is None:
            self.process.send_signal(number)

    async def end(self) -> None:
        """Kill the program and wait for its end."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGKILL)
        await self.process.wait()
        if self.output is not None:
            self.output.close()


@dataclass(frozen=True, slots=True)
class Server:
    """A measured server."""

    player_url: str
    streamer_url: str
    pid: int | None
    """None for a remote server, of which only rates and times are measured."""
    others: tuple[int, ...] = ()
    """Further processes through which a message passes: their CPU time counts, too."""

    @property
    def pids(self) -> tuple[int, ...]:
        """All measured processes."""
        return () if self.pid is None else (self.pid, *self.others)


@asynccontextmanager
async def started(name: str) -> AsyncIterator[Server]:
    """Run one of COMMANDS while the body runs; raise StartError when it does not start."""
    program = await start_python(*COMMANDS[name], fact="streamers")
    ports = program.facts
    try:
        yield Server(f"ws://127.0.0.1:{ports['players']}/", f"ws://127.0.0.1:{ports['streamers']}/", program.pid)
    finally:
        await program.end()


async def start_python(
    *arguments: str, fact: str, log: Path | None = None, program: Sequence[str] = (sys.executable, "-m")
) -> Program:
    """Start a program, by default a Python module, and wait for the JSON line with the key `fact`.

    Raises StartError when the program ends or the time is up without that line.
    """
    output = Output(log)
    write_end = await output.open()
    try:
        process = await asyncio.create_subprocess_exec(
            *program,
            *arguments,
            stdout=write_end,
            stderr=asyncio.subprocess.STDOUT,
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("PIXELFLEET_")},
        )
    finally:
        os.close(write_end)
    last: deque[str] = deque(maxlen=5)
    try:
        async with asyncio.timeout(START_SECONDS):
            async for line in output.lines:
                last.append(line.decode("utf-8", "replace").rstrip())
                if (facts := numbers_of(line)).get(fact):
                    output.follow()
                    return Program(process, facts, output)
    except TimeoutError:
        pass
    with suppress(ProcessLookupError):  # it may have exited
        process.kill()
    await process.wait()
    output.close()
    raise StartError("\n".join([f"{arguments[0]} did not start:", *last]))


def numbers_of(line: bytes) -> dict[str, int]:
    """Return the numbers in a line of a JSON log, including a server's ports."""
    try:
        facts = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return {name: value for name, value in facts.items() if isinstance(value, int)} if isinstance(facts, dict) else {}


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process in user and kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid: int) -> int:
    """Return the resident memory of a process in KiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def descriptors(pid: int) -> int:
    """Return the number of open file descriptors of a process."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
