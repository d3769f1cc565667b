"""Runs a program, and ends it with all its descendants when this process's standard input closes.

The signalling server starts the application through this script, and holds the other end of its standard input. The
operating system closes that end also when the server is killed. The script exits when no descendant is left: the start
script of a packaged Unreal application starts the application as a child, and no init process may be there to reap it.
It imports only the standard library, and its usage is `guard.py SECONDS PROGRAM [ARGUMENT ...]`: the program has this
time to end after SIGTERM. Where there is no `prctl`, descendants that leave the program's process group survive.
"""

import ctypes
import math
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

STDIN = 0
CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children")

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def _report(text: str) -> None:
    os.write(2, f"pixelfleet: the application {text}\n".encode())


def _prctl(option: int, value: int) -> None:
    with suppress(AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _run(seconds: float, command: list[str]) -> None:
    """Run the program until it ends or has to; report how it ended on standard error."""
    wakeups, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        program = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            process_group=0,
            # If this process is killed itself, the program ends with it.
            preexec_fn=lambda: _prctl(PR_SET_PDEATHSIG, signal.SIGKILL),  # noqa: PLW1509 - there is one thread
        )
    except (OSError, subprocess.SubprocessError) as error:
        _report(f"cannot be started: {command[0]}: {getattr(error, 'strerror', None) or error}")
        return
    try:
        _report(_await_end(program, wakeups, seconds))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)


def _await_end(program: "subprocess.Popen[bytes]", wakeups: int, seconds: float) -> str:
    """Return how the program ended: by itself, or after standard input was closed."""
    wanted = [STDIN, wakeups]
    deadline = math.inf
    while program.poll() is None:
        left = deadline - time.monotonic()
        if left <= 0:
            return f"did not end within {seconds:g} s of SIGTERM and is killed"
        readable, _, _ = select.select(wanted, [], [], None if left == math.inf else left)
        if wakeups in readable:
            os.read(wakeups, 512)
        if STDIN in readable and not os.read(STDIN, 512):
            wanted.remove(STDIN)
            deadline = time.monotonic() + seconds
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGTERM)
    status = program.returncode
    return f"ended with exit status {status}" if status >= 0 else f"ended with signal {-status}"


def _end_descendants() -> None:
    """Kill and reap every descendant: the children of one that ends become children of this process."""
    while True:
        with suppress(OSError):
            for child in CHILDREN.read_text().split():
                os.kill(int(child), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        _run(float(sys.argv[1]), sys.argv[2:])
    finally:
        _end_descendants()
