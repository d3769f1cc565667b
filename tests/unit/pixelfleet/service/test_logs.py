import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage

from pixelfleet.service import logs
from tests.parts import PATIENCE_SECONDS

Style = Literal["console", "json"]


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Tells what was logged; the process's logging is as it was when the test is over."""
    root = logging.getLogger()
    names = ("picows", "aioice", "aiortc", "websockets", "aiohttp.access", "aiohttp.server")
    levels = {name: logging.getLogger(name).level for name in names}
    handlers, level = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in names:
        logging.getLogger(name).setLevel(levels[name])
    structlog.reset_defaults()


def fails_with_a_secret(log: Callable[..., object]) -> None:
    credential = "t0p" + "secret"
    try:
        raise ValueError(f"refused ({len(credential)})")
    except ValueError as error:
        log("it failed", exc_info=error)


def lines_of(stderr: Callable[[], str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr().splitlines()]


def test_an_event_for_people_is_one_line(stderr: Callable[[], str]) -> None:
    logs.configure("info", "console")
    structlog.get_logger("a.module").info("streamer connected", streamer="s1")
    (line,) = stderr().splitlines()
    assert "streamer connected" in line
    assert "streamer=s1" in line
    assert "a.module" in line
    assert "\x1b" not in line, "colours in what is no terminal"


def test_what_a_peer_says_begins_no_line_and_moves_no_cursor(stderr: Callable[[], str]) -> None:
    logs.configure("info", "console")
    structlog.get_logger("a.module").info(
        "player left", reason="bye\n[info] forged\r", short="\x1b[2J", turned="\u202ex"
    )
    said = stderr()
    assert len(said.splitlines()) == 1
    assert said.removesuffix("\n").isprintable()
    assert "bye" in said


def test_an_event_for_machines_is_one_json_object(stderr: Callable[[], str]) -> None:
    logs.configure("info", "json")
    structlog.get_logger("a.module").warning("two\nlines", number=1)
    (event,) = lines_of(stderr)
    assert event.items() >= {"event": "two\nlines", "number": 1, "level": "warning", "logger": "a.module"}.items()
    assert event["timestamp"].endswith("Z")


@pytest.mark.parametrize(("level", "seen"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_least_level_holds_for_ours_and_for_libraries(stderr: Callable[[], str], level: str, seen: int) -> None:
    logs.configure(level, "json")
    for logger in (structlog.get_logger("ours"), logging.getLogger("some.library")):
        for name in ("debug", "info", "warning", "error"):
            getattr(logger, name)("an event")
    events = lines_of(stderr)
    assert sum(event["logger"] == "ours" for event in events) == seen
    assert sum(event["logger"] == "some.library" for event in events) == seen


@pytest.mark.parametrize("style", ["console", "json"])
def test_an_error_is_shown_with_its_traceback_but_no_variables(stderr: Callable[[], str], style: Style) -> None:
    logs.configure("info", style)
    fails_with_a_secret(structlog.get_logger("ours").error)
    fails_with_a_secret(logging.getLogger("some.library").error)
    text = stderr()
    assert text.count("refused (9)") >= 2
    assert "fails_with_a_secret" in text
    assert "t0psecret" not in text


def test_an_error_for_machines_is_still_one_line(stderr: Callable[[], str]) -> None:
    logs.configure("info", "json")
    fails_with_a_secret(structlog.get_logger("ours").error)
    assert len(lines_of(stderr)) == 1


def test_a_strangers_broken_frame_is_no_event(stderr: Callable[[], str]) -> None:
    logs.configure("info", "json")
    logging.getLogger("picows.server").error("WS parser error")
    logging.getLogger("picows.server.12").error("WS parser error")
    logging.getLogger("aioice.ice").info("Connection(0) Check")
    assert stderr() == ""


def test_being_configured_twice_says_nothing_twice(stderr: Callable[[], str]) -> None:
    logs.configure("info", "console")
    logs.configure("info", "json")
    structlog.get_logger("a").info("once")
    logging.getLogger("b").info("once")
    assert len(lines_of(stderr)) == 2


@pytest.mark.parametrize(("error", "logged"), [(BadHttpMessage("no HTTP"), 0), (ValueError("a bug"), 1)])
def test_a_request_that_is_no_http_is_no_error_of_ours(
    stderr: Callable[[], str], error: Exception, logged: int
) -> None:
    logs.configure("debug", "json")
    logging.getLogger("aiohttp.server").error("Error handling request from %s", "1.2.3.4", exc_info=error)
    assert len(lines_of(stderr)) == logged


# -- lines for machines are written several at a time ------------------------------------------------


async def test_information_waits_for_company_and_nothing_worse_does(stderr: Callable[[], str]) -> None:
    logs.configure("info", "json")
    log = structlog.get_logger("a.module")
    log.info("first")
    log.info("second")
    assert stderr() == ""
    log.warning("third")
    assert [line["event"] for line in lines_of(stderr)] == ["first", "second", "third"]
    log.info("fourth")
    await asyncio.sleep(2 * logs.WAIT_SECONDS)
    assert [line["event"] for line in lines_of(stderr)] == ["fourth"]


async def test_many_lines_do_not_wait(stderr: Callable[[], str]) -> None:
    logs.configure("info", "json")
    log = structlog.get_logger("a.module")
    for number in range(logs.LINES_AT_ONCE + 1):
        log.info("line", number=number)
    assert [line["number"] for line in lines_of(stderr)] == list(range(logs.LINES_AT_ONCE))


def test_lines_of_threads_are_all_written(stderr: Callable[[], str]) -> None:
    logs.configure("info", "json")
    log = structlog.get_logger("a.module")

    async def main() -> None:
        def work(name: int) -> None:
            for number in range(200):
                log.info("line", name=name, number=number)

        threads = [asyncio.to_thread(work, name) for name in range(3)]
        work(3)
        await asyncio.gather(*threads)
        await asyncio.sleep(2 * logs.WAIT_SECONDS)

    asyncio.run(main())
    seen = [(line["name"], line["number"]) for line in lines_of(stderr)]
    assert sorted(seen) == [(name, number) for name in range(4) for number in range(200)]


def test_what_waits_when_the_process_ends_is_written() -> None:
    program = """
import asyncio, structlog
from pixelfleet.service import logs

async def main():
    structlog.get_logger("ends").info("last words")

logs.configure("info", "json")
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=PATIENCE_SECONDS)
    assert json.loads(ended.stderr)["event"] == "last words"
