"""The output for terminals and pipes, and the plan of checks."""

import io

import pytest

from pixelfleet_cli.doctor.findings import catalogue
from pixelfleet_cli.doctor.findings.model import Finding, Result, exit_code, not_done
from pixelfleet_cli.doctor.findings.plan import NEEDS, blocked
from pixelfleet_cli.doctor.report import Screen

OK = Result("address", "play.example is 203.0.113.7")
BAD = Result("websocket", "HTTP 426 instead of an upgrade", (Finding(catalogue.UPGRADE_EATEN, "HTTP 426"),))
SLOW = Result("page", "word " * 40, (Finding(catalogue.ADDRESS_DEAD, "cause " * 40),))


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


class Ascii(io.StringIO):
    """A stream that encodes only ASCII."""

    encoding = "ascii"


def shown(stream: io.StringIO, *results: Result, redirected: str = "") -> str:
    screen = Screen(stream)
    screen.begin("https://play.example/", redirected)
    for result in results:
        screen.show(result)
    screen.end(results)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_a_result_is_a_line_and_a_finding_has_its_next_step() -> None:
    assert shown(io.StringIO(), OK, BAD).splitlines() == [
        "https://play.example/",
        "",
        "  ✓ address      play.example is 203.0.113.7",
        "  ✗ websocket    HTTP 426 instead of an upgrade",
        "                 upgrade-eaten: The server received a plain request: a proxy",
        "                 removed the headers of the websocket upgrade.",
        "                 HTTP 426",
        "                 Next: Make the proxy forward Upgrade and Connection, as in",
        "                 docs/how-to/reverse-proxies.md.",
        "",
        "1 error",
    ]


def test_long_texts_are_wrapped_to_the_width_of_the_terminal() -> None:
    text = shown(io.StringIO(), SLOW, not_done("idle", "word " * 30), redirected="https://other.example/")
    assert max(map(len, text.splitlines())) <= 80
    assert "leads to https://other.example/\n" in text
    assert "  ! page  " in text
    assert text.endswith("\n1 warning\n")


def test_blocked_checks_are_named_in_one_line() -> None:
    results = {"address": Result("address", "none", (Finding(catalogue.NAME_UNKNOWN, "no"),))}
    for check in NEEDS:
        result = blocked(check, results)
        if result is not None:
            results[check] = result
    text = shown(io.StringIO(), *results.values())
    assert "  - not checked  connection, certificate, page, clock, streamers, websocket,\n" in text
    assert "                 offer, idle (address failed)\n" in text
    assert text.count("not checked") == 1


def test_a_terminal_gets_colours_and_a_pipe_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in shown(io.StringIO(), OK, BAD, SLOW)
    assert "\x1b[" in shown(Terminal(), OK, BAD, SLOW)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in shown(Terminal(), OK, BAD, SLOW)


def test_an_encoding_without_the_marks_gets_letters() -> None:
    text = shown(Ascii(), OK, BAD, SLOW)
    assert text.isascii()
    assert "  x websocket" in text
    assert "  + address" in text


def test_the_exit_code_is_that_of_the_worst_finding() -> None:
    assert exit_code([]) == exit_code([OK, not_done("idle", "no")]) == 0
    assert exit_code([OK, SLOW]) == 1
    assert exit_code([BAD, OK, SLOW]) == 2


def test_a_failed_page_blocks_no_other_check() -> None:
    results = {"page": Result("page", "no", (Finding(catalogue.NO_HTTP, "no"),))}
    assert [check for check in NEEDS if blocked(check, results)] == []


def test_a_warning_blocks_no_check() -> None:
    results = {"certificate": Result("certificate", "soon", (Finding(catalogue.CERTIFICATE_ENDS_SOON, "soon"),))}
    assert [check for check in NEEDS if blocked(check, results)] == []


def test_the_summary_without_findings() -> None:
    assert shown(io.StringIO(), OK).endswith("\nNo errors and no warnings.\n")
