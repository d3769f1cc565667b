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

START_SECONDS: Final = 30.0
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


@dataclass(slots=True)
class Program:
    """A running program."""

    process: asyncio.subprocess.Process
    facts: dict[str, int]
    """The numbers in the log line that announces its listeners, including its ports."""

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
    process = await asyncio.create_subprocess_exec(
        *program,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PIXELFLEET_")},
    )
    assert process.stdout is not None
    last: deque[str] = deque(maxlen=5)
    try:
        async with asyncio.timeout(START_SECONDS):
            async for line in process.stdout:
                last.append(line.decode("utf-8", "replace").rstrip())
                if (facts := numbers_of(line)).get(fact):
                    keep = asyncio.create_task(_read_on(process.stdout, log))
                    _readers.add(keep)
                    keep.add_done_callback(_readers.discard)
                    return Program(process, facts)
    except TimeoutError:
        pass
    with suppress(ProcessLookupError):  # it may have exited
        process.kill()
    await process.wait()
    raise StartError("\n".join([f"{arguments[0]} did not start:", *last]))


_readers: set[asyncio.Task[None]] = set()


async def _read_on(lines: asyncio.StreamReader, log: Path | None) -> None:
    """Read a program's output, so that it never blocks; keep lines above the level info."""
    async for line in lines:
        if log is not None and b'"level":"info"' not in line:
            with log.open("ab") as file:
                file.write(line)


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
