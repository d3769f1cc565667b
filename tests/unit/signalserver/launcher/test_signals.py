"""Real processes that this process did not start for the server, found by their program's name."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from signalserver.launcher.means import EndError
from signalserver.launcher.signals import Signals, processes_named
from tests.parts import program

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="process descriptors exist on Linux only")

READY = "import signal, time; print('ready', flush=True); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + READY


@pytest.fixture
def name(tmp_path: Path) -> str:
    """A program name that no other process has: a link to the interpreter."""
    path = tmp_path / f"Game-{os.getpid()}-Linux-Shipping"
    path.symlink_to(shutil.which(sys.executable) or sys.executable)
    return str(path)


@asynccontextmanager
async def application(path: str, code: str = READY) -> AsyncIterator[asyncio.subprocess.Process]:
    async with program(path, "-c", code) as process:
        assert process.stdout is not None
        await process.stdout.readline()
        yield process


async def test_processes_are_found_by_their_file_name(name: str) -> None:
    async with application(name) as process:
        assert await asyncio.to_thread(processes_named, Path(name).name) == [process.pid]
    assert await asyncio.to_thread(processes_named, Path(name).name) == []


async def test_the_processes_that_were_connected_are_ended_and_not_later_ones(name: str) -> None:
    means = Signals(Path(name).name, 600)
    async with application(name) as old:
        await means.connected()
        async with application(name) as new:
            await means.end()
            assert await old.wait() == -signal.SIGTERM
            assert new.returncode is None
    await means.close()


async def test_a_process_that_ignores_sigterm_is_killed(name: str) -> None:
    means = Signals(Path(name).name, 0.1)
    async with application(name, STUBBORN) as process:
        await means.connected()
        await means.end()
        assert await process.wait() == -signal.SIGKILL


async def test_a_process_that_has_ended_by_itself_counts_as_ended(name: str) -> None:
    means = Signals(Path(name).name, 600)
    async with application(name) as process:
        await means.connected()
    assert process.returncode is not None
    await means.end()


async def test_an_application_that_cannot_be_found_is_not_reported_as_ended() -> None:
    means = Signals("no-such-program", 600)
    await means.connected()
    with pytest.raises(EndError, match="no process is named no-such-program"):
        await means.end()
