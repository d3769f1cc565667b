"""A service that writes the number of its tasks: `python -m tests.soak.counted FOLDER SERVICE [OPTION]...`.

The number is in FOLDER/PID.tasks, once a second.
"""

import asyncio
import os
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

from pixelfleet.service import lifecycle
from pixelfleet_cli.cli import main

EVERY_SECONDS: Final = 1.0


def _file_of(folder: Path, pid: int) -> Path:
    return folder / f"{pid}.tasks"


def tasks(folder: Path, pid: int) -> int:
    """Return the number of tasks that a process has written last."""
    return int(_file_of(folder, pid).read_text(encoding="ascii"))


def _replace(file: Path, text: str) -> None:
    """Write a file at once, so that no reader finds a part of it."""
    other = file.with_suffix(".new")
    other.write_text(text, encoding="ascii")
    other.replace(file)


async def _write(file: Path) -> None:
    while True:
        _replace(file, str(len(asyncio.all_tasks())))
        await asyncio.sleep(EVERY_SECONDS)


def count_tasks(folder: Path) -> None:
    """Make the service of this process write the number of its tasks while it runs."""
    serve = lifecycle.serve

    async def counted(service: AbstractAsyncContextManager[object]) -> int:
        async with lifecycle.background(_write(_file_of(folder, os.getpid()))):
            return await serve(service)

    lifecycle.serve = counted


if __name__ == "__main__":
    count_tasks(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
