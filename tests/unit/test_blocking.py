"""A blocked event loop fails a test: code that counts as the services' blocks it here in the relevant cases."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from blockbuster import BlockingError

import pixelfleet

SOURCE = """
def nap():
    time.sleep(0.001)

def read(path):
    return path.read_text()

def write(file):
    file.write("a line")

def log(handler):
    handler.emit(logging.makeLogRecord({"msg": "a line"}))
"""


@pytest.fixture
def ours() -> dict[str, Callable[..., object]]:
    """Functions whose code has a file name in services/pixelfleet, which is what the check looks at."""
    names: dict[str, Callable[..., object]] = {"time": time, "logging": logging}  # type: ignore[dict-item]  # modules, for exec
    file = Path(pixelfleet.__path__[0]) / "made_up.py"
    exec(compile(SOURCE, str(file), "exec"), names)  # noqa: S102  # the constant above
    return names


async def test_service_code_must_not_sleep_in_the_loop(
    ours: dict[str, Callable[..., object]], blocked_calls: list[str]
) -> None:
    with pytest.raises(BlockingError, match=r"time\.sleep"):
        ours["nap"]()
    assert "made_up.py" in blocked_calls.pop()


async def test_service_code_must_not_read_files_in_the_loop(
    ours: dict[str, Callable[..., object]], blocked_calls: list[str]
) -> None:
    with pytest.raises(BlockingError):
        ours["read"](Path(__file__))
    assert len(blocked_calls) == 1
    blocked_calls.clear()


async def test_a_blocking_call_counts_even_when_its_error_is_swallowed(
    ours: dict[str, Callable[..., object]], blocked_calls: list[str]
) -> None:
    async def handler() -> None:
        with contextlib.suppress(BlockingError):
            ours["nap"]()

    await asyncio.create_task(handler())
    assert len(blocked_calls) == 1
    blocked_calls.clear()


async def test_service_code_may_log_to_the_stderr_of_an_earlier_test(
    tmp_path: Path, ours: dict[str, Callable[..., object]], blocked_calls: list[str]
) -> None:
    with await asyncio.to_thread((tmp_path / "stderr").open, "w") as stderr:
        ours["log"](logging.StreamHandler(stderr))
        assert not blocked_calls
        with pytest.raises(BlockingError):
            ours["write"](stderr)
    assert len(blocked_calls) == 1
    blocked_calls.clear()


async def test_other_code_and_other_threads_may_block(ours: dict[str, Callable[..., object]]) -> None:
    time.sleep(0.001)  # noqa: ASYNC251  # this module is not part of the services
    await asyncio.to_thread(ours["nap"])


def test_service_code_may_block_without_a_loop(ours: dict[str, Callable[..., object]]) -> None:
    ours["nap"]()
