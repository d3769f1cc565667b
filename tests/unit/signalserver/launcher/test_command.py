"""The application as a real child process, with its children."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from signalserver.launcher import guard
from signalserver.launcher.command import Command, arguments_of, environment_of
from tests.parts import eventually, program

URL = "ws://127.0.0.1:8888"

PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", CHILD], start_new_session=True)
print("processes", os.getpid(), child.pid, flush=True)
child.wait()
"""
"""Starts a child in a session of its own, and waits for it."""

SLEEPS = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def script(folder: Path, text: str) -> str:
    """Write a program, and return its command line."""
    path = folder / "application.py"
    path.write_text(text)
    return f"{sys.executable} '{path}'"


def is_running(process: int) -> bool:
    """Return whether a process exists and is not a zombie, which an outer process has yet to read."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@asynccontextmanager
async def started(command: str, *, stop_seconds: float = 600.0) -> AsyncIterator[Command]:
    application = Command(command, URL, stop_seconds, lambda: "session-1")
    await application.start()
    try:
        yield application
    finally:
        await application.close()


def lines_of(logs: list[structlog.typing.EventDict]) -> list[str]:
    return [entry["line"] for entry in logs if entry["event"] == "application output"]


async def processes_in(logs: list[structlog.typing.EventDict]) -> list[int]:
    """Return the ids of the application and of its child, from its output."""

    def found() -> list[int]:
        return [int(word) for line in lines_of(logs) if line.startswith("processes") for word in line.split()[1:]]

    return await eventually(found, "the application's output is logged")


def test_the_command_line_is_divided_without_a_shell() -> None:
    assert arguments_of("'/opt/my game/Game.sh' -url={url} '$HOME;'", URL) == [
        "/opt/my game/Game.sh",
        f"-url={URL}",
        "$HOME;",
    ]


def test_the_application_gets_no_settings_of_the_server() -> None:
    environ = {"PATH": "/bin", "PIXELFLEET_SIGNALSERVER_SESSION_KEY": "secret"}
    assert environment_of(environ, URL) == {"PATH": "/bin", "PIXELFLEET_STREAMER_URL": URL}


async def test_the_end_of_an_application_is_the_end_of_its_children(tmp_path: Path) -> None:
    command = script(tmp_path, PARENT.replace("CHILD", repr(SLEEPS)))
    with structlog.testing.capture_logs() as logs:
        async with started(command) as application:
            processes = await processes_in(logs)
            assert all(map(is_running, processes))
            await application.end()
            assert not any(map(is_running, processes))
    assert {entry["session"] for entry in logs if entry["event"] == "application output"} == {"session-1"}


async def test_an_application_that_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    command = script(
        tmp_path,
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + PARENT.replace("CHILD", repr(STUBBORN)),
    )
    with structlog.testing.capture_logs() as logs:
        async with started(command, stop_seconds=0.2) as application:
            processes = await processes_in(logs)
            await application.end()
            assert not any(map(is_running, processes))
    assert lines_of(logs)[-1] == "pixelfleet: the application did not end within 0.2 s of SIGTERM and is killed"


async def test_a_crash_is_reported_and_ends_the_children_that_are_left(tmp_path: Path) -> None:
    text = PARENT.replace("CHILD", repr(STUBBORN)).replace("child.wait()", "sys.exit(3)")
    with structlog.testing.capture_logs() as logs:
        async with started(script(tmp_path, text)) as application:
            processes = await processes_in(logs)
            await application.crashed()
            assert not any(map(is_running, processes))
    assert lines_of(logs)[-1] == "pixelfleet: the application ended with exit status 3"


async def test_a_program_that_does_not_exist_counts_as_crashed() -> None:
    with structlog.testing.capture_logs() as logs:
        async with started("/nowhere/game") as application:
            await application.crashed()
    assert lines_of(logs) == ["pixelfleet: the application cannot be started: /nowhere/game: No such file or directory"]


async def test_the_application_ends_when_the_server_is_killed(tmp_path: Path) -> None:
    """The server is a program that starts the guard and is then killed with SIGKILL."""
    application = tmp_path / "application.py"
    application.write_text(PARENT.replace("CHILD", repr(STUBBORN)))
    guarded = [sys.executable, "-IS", guard.__file__, "0.2", sys.executable, str(application)]
    server = f"import subprocess; subprocess.Popen({guarded!r}, stdin=subprocess.PIPE, start_new_session=True).wait()"
    async with program(sys.executable, "-c", server) as process:
        assert process.stdout is not None
        line = await process.stdout.readline()
        processes = [int(word) for word in line.split()[1:]]
        assert all(map(is_running, processes))
        os.kill(process.pid, signal.SIGKILL)
        await eventually(lambda: not any(map(is_running, processes)), "the application and its child have ended")


async def test_more_output_than_the_log_takes_does_not_stop_the_application(tmp_path: Path) -> None:
    command = script(tmp_path, "for number in range(100_000): print('line', number)\nprint('done', flush=True)")
    with structlog.testing.capture_logs() as logs:
        async with started(command) as application:
            await application.crashed()
    assert sum(entry.get("lines", 0) for entry in logs if entry["event"] == "application output dropped") > 90_000
