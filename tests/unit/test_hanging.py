"""A test that hangs does not hang the whole run."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.conftest import _in_time
from tests.parts import PATIENCE_SECONDS, program

HANGING = """
import asyncio

async def test_that_waits_for_ever():
    await asyncio.Event().wait()

async def test_that_leaves_what_cannot_be_cancelled():
    async def stubborn():
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass
    global kept
    kept = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    assert False, "and fails"
"""


async def test_a_test_that_waits_forever_fails_at_its_time_limit() -> None:
    async def waits() -> None:
        await asyncio.Event().wait()

    with pytest.raises(AssertionError, match=r"took more than 0\.01 s"):
        await _in_time(waits, 0.01)()


async def test_a_timeout_inside_a_test_is_not_converted() -> None:
    async def gives_up() -> None:
        async with asyncio.timeout(0.001):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await _in_time(gives_up, 30)()


async def test_a_hanging_teardown_ends_the_run_with_its_stack(tmp_path: Path) -> None:
    hanging = tmp_path / "test_hanging.py"
    hanging.write_text(HANGING)
    root = Path(__file__).parents[2]
    options = ("-o", "timeout=4", "-o", "faulthandler_timeout=6", "-p", "no:cacheprovider", "-v")
    command = (sys.executable, "-m", "pytest", "-c", str(root / "pyproject.toml"), "-p", "tests.conftest", *options)
    async with program(*command, str(hanging), cwd=root) as process, asyncio.timeout(PATIENCE_SECONDS):
        out, err = await process.communicate()
    assert process.returncode == 1, (out + err).decode()
    assert b"test_that_waits_for_ever FAILED" in out
    assert b"Timeout (0:00:06)!" in err
    assert b"in pytest_runtest_teardown" in err
