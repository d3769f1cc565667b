import asyncio
import signal
import socket
from collections.abc import Iterator

import pytest

from tests.parts import PATIENCE_SECONDS, eventually, free_port, free_ports, program, require_part

MISSING = "a-program-that-nobody-has"


def test_an_installed_part_is_returned_as_its_path() -> None:
    assert require_part("sh").endswith("/sh")


def test_a_missing_part_skips_the_test_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=MISSING):
        require_part(MISSING)


def test_in_ci_a_missing_part_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=MISSING):
        require_part(MISSING)


def test_free_ports_are_distinct_and_available() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    with socket.create_server(("127.0.0.1", free_port())) as server:
        assert server.getsockname()[1] > 0


def answers(*values: object) -> Iterator[object]:
    yield from values
    pytest.fail("it asked again after a truthy answer")


async def test_eventually_returns_the_first_truthy_answer() -> None:
    source = answers(0, None, "ready")
    assert await eventually(lambda: next(source), "an answer") == "ready"


async def test_eventually_awaits_an_async_condition() -> None:
    source = answers(False, 7)

    async def condition() -> object:
        return next(source)

    assert await eventually(condition, "an answer") == 7


async def test_eventually_fails_with_the_condition_and_its_last_answer() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"not within 0\.05 s: a full house \(last: 0\)"):
        await eventually(lambda: 0, "a full house", within=0.05)


async def test_eventually_continues_after_a_tolerated_error() -> None:
    errors = iter([ConnectionRefusedError()])

    def condition() -> bool:
        for error in errors:
            raise error
        return True

    assert await eventually(condition, "a connection", tolerating=(OSError,))


async def test_eventually_raises_other_errors() -> None:
    def condition() -> bool:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        await eventually(condition, "a value", tolerating=(OSError,))


async def test_a_program_and_its_children_end_with_the_block() -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        # A remaining child would keep the pipe open, so this ends only when all of them have ended.
        async with program("sh", "-c", "sleep 600 & echo started") as process:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"started\n"
        assert await process.stdout.read() == b""


async def test_a_program_ends_also_when_the_block_fails() -> None:
    with pytest.raises(ValueError, match="wrong"):
        async with asyncio.timeout(PATIENCE_SECONDS), program("sleep", "600") as process:
            raise ValueError("wrong")
    assert process.returncode == -signal.SIGKILL


async def test_a_program_that_has_exited_is_no_error() -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), program("sh", "-c", "echo out; echo err >&2; exit 3") as process:
        assert await process.communicate() == (b"out\n", b"err\n")
    assert process.returncode == 3
