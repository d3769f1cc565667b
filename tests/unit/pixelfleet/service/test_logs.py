import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Literal

import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage

from pixelfleet.service import logs
from pixelfleet.service.log_writer import dropped_lines
from tests.parts import PATIENCE_SECONDS

Style = Literal["console", "json"]


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """A function that returns the log so far; the logging configuration is restored after the test."""
    root = logging.getLogger()
    names = ("picows", "aioice", "aiortc", "websockets", "aiohttp.access", "aiohttp.server")
    levels = {name: logging.getLogger(name).level for name in names}
    handlers, level = root.handlers[:], root.level

    def read() -> str:
        with suppress(RuntimeError):  # there is no event loop; with one, the test waits in a thread
            asyncio.get_running_loop()
            return capsys.readouterr().err
        logs.wait()
        return capsys.readouterr().err

    yield read
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


def test_a_console_event_is_one_line(stderr: Callable[[], str]) -> None:
    logs.configure("info", "console")
    structlog.get_logger("a.module").info("streamer connected", streamer="s1")
    (line,) = stderr().splitlines()
    assert "streamer connected" in line
    assert "streamer=s1" in line
    assert "a.module" in line
    assert "\x1b" not in line, "colours without a terminal"


def test_control_characters_of_a_peer_are_escaped(stderr: Callable[[], str]) -> None:
    logs.configure("info", "console")
    structlog.get_logger("a.module").info(
        "player left", reason="bye\n[info] forged\r", short="\x1b[2J", turned="\u202ex"
    )
    text = stderr()
    assert len(text.splitlines()) == 1
    assert text.removesuffix("\n").isprintable()
    assert "bye" in text


def test_a_json_event_is_one_object(stderr: Callable[[], str]) -> None:
    logs.configure("info", "json")
    structlog.get_logger("a.module").warning("two\nlines", number=1)
    (event,) = lines_of(stderr)
    assert event.items() >= {"event": "two\nlines", "number": 1, "level": "warning", "logger": "a.module"}.items()
    assert event["timestamp"].endswith("Z")


@pytest.mark.parametrize(("level", "seen"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_applies_to_services_and_libraries(stderr: Callable[[], str], level: str, seen: int) -> None:
    logs.configure(level, "json")
    for logger in (structlog.get_logger("service"), logging.getLogger("some.library")):
        for name in ("debug", "info", "warning", "error"):
            getattr(logger, name)("an event")
    events = lines_of(stderr)
    assert sum(event["logger"] == "service" for event in events) == seen
    assert sum(event["logger"] == "some.library" for event in events) == seen


@pytest.mark.parametrize("style", ["console", "json"])
def test_a_traceback_has_no_local_variables(stderr: Callable[[], str], style: Style) -> None:
    logs.configure("info", style)
    fails_with_a_secret(structlog.get_logger("service").error)
    fails_with_a_secret(logging.getLogger("some.library").error)
    text = stderr()
    assert text.count("refused (9)") >= 2
    assert "fails_with_a_secret" in text
    assert "t0psecret" not in text


def test_a_json_error_is_one_line(stderr: Callable[[], str]) -> None:
    logs.configure("info", "json")
    fails_with_a_secret(structlog.get_logger("service").error)
    assert len(lines_of(stderr)) == 1


def test_malformed_frames_are_not_logged(stderr: Callable[[], str]) -> None:
    logs.configure("info", "json")
    logging.getLogger("picows.server").error("WS parser error")
    logging.getLogger("picows.server.12").error("WS parser error")
    logging.getLogger("aioice.ice").info("Connection(0) Check")
    assert stderr() == ""


def test_a_second_configuration_replaces_the_first(stderr: Callable[[], str]) -> None:
    logs.configure("info", "console")
    logs.configure("info", "json")
    structlog.get_logger("a").info("once")
    logging.getLogger("b").info("once")
    assert len(lines_of(stderr)) == 2


@pytest.mark.parametrize(("error", "logged"), [(BadHttpMessage("not HTTP"), 0), (ValueError("a bug"), 1)])
def test_malformed_requests_are_not_logged(stderr: Callable[[], str], error: Exception, logged: int) -> None:
    logs.configure("debug", "json")
    logging.getLogger("aiohttp.server").error("Error handling request from %s", "1.2.3.4", exc_info=error)
    assert len(lines_of(stderr)) == logged


# -- debug and info lines are buffered -------------------------------------------------------------------------


async def written() -> None:
    """Wait until the lines that are not buffered are written, as `logs.wait` does; that would block the event loop."""
    await asyncio.to_thread(logs.wait)


async def test_info_is_buffered_and_warnings_are_not(stderr: Callable[[], str]) -> None:
    logs.configure("info", "json")
    log = structlog.get_logger("a.module")
    log.info("first")
    log.info("second")
    await written()
    assert stderr() == ""
    log.warning("third")
    await written()
    assert [line["event"] for line in lines_of(stderr)] == ["first", "second", "third"]
    log.info("fourth")
    await asyncio.sleep(2 * logs.FLUSH_SECONDS)
    await written()
    assert [line["event"] for line in lines_of(stderr)] == ["fourth"]


async def test_a_full_buffer_is_flushed(stderr: Callable[[], str]) -> None:
    logs.configure("info", "json")
    log = structlog.get_logger("a.module")
    for number in range(logs.MAX_BUFFERED_LINES + 1):
        log.info("line", number=number)
    await written()
    assert [line["number"] for line in lines_of(stderr)] == list(range(logs.MAX_BUFFERED_LINES))


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
        await asyncio.sleep(2 * logs.FLUSH_SECONDS)

    asyncio.run(main())
    seen = [(line["name"], line["number"]) for line in lines_of(stderr)]
    assert sorted(seen) == [(name, number) for name in range(4) for number in range(200)]


@pytest.mark.parametrize("value", ["\ud800", 2**80, object()])
@pytest.mark.parametrize("style", ["console", "json"])
def test_every_value_can_be_logged(stderr: Callable[[], str], style: Style, value: object) -> None:
    logs.configure("info", style)
    structlog.get_logger("a.module").info("an event", value=value)
    logging.getLogger("some.library").error("an event: %s", value)
    assert stderr().count("an event") == 2


def test_a_malformed_event_of_a_library_is_dropped_and_counted(stderr: Callable[[], str]) -> None:
    logs.configure("info", "console")
    before = dropped_lines()
    logging.getLogger("some.library").error("%d", "no number")
    assert dropped_lines() == before + 1
    assert stderr() == ""


def test_buffered_lines_are_written_at_exit() -> None:
    program = """
import asyncio, structlog
from pixelfleet.service import logs
from pixelfleet.service.log_writer import dropped_lines

async def main():
    structlog.get_logger("ends").info("last event")

logs.configure("info", "json")
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=PATIENCE_SECONDS)
    assert json.loads(ended.stderr)["event"] == "last event"


@pytest.mark.parametrize("style", ["console", "json"])
def test_an_event_about_a_traced_session_has_its_trace(
    stderr: Callable[[], str], style: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(logs.TRACES, "s1", "a" * 32)
    logs.configure("info", style)
    log = structlog.get_logger("a.module")
    log.info("player left", session="s1")
    log.info("player left", session="s2")
    log.info("player left", session=None)
    log.info("stopping")
    traced, *others = stderr().splitlines()
    assert "trace_id" in traced
    assert "a" * 32 in traced
    assert len(others) == 3
    assert not any("trace_id" in line for line in others)
