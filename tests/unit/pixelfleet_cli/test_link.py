"""Signing links at a terminal."""

import time

import pytest

from pixelfleet.auth.links import verify
from pixelfleet_cli.cli import main

KEY = "k" * 32


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXELFLEET_LINK_KEY", KEY)


def test_a_link_is_printed_that_says_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--url", "https://play.test/?x=1", "--expires", "2h", "--once", "--app", "demo", "--priority", "3"]
    assert main(["link", *asked, "--role", "host", "--id", "pod/cam", "--subject", "ada"]) == 0
    url = capsys.readouterr().out.strip()
    assert url.startswith("https://play.test/?x=1&link=")
    link = verify(url.partition("link=")[2], KEY)
    assert (link.app, link.wants, link.priority, link.roles, link.once) == ("demo", "pod/cam", 3, ("host",), True)
    assert 7100 < link.expires - time.time() <= 7201


def test_without_a_page_the_token_alone_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["link"]) == 0
    assert verify(capsys.readouterr().out.strip(), KEY).once is False


@pytest.mark.parametrize("wrong", [["--expires", "0"], ["--expires", "2y"], ["--priority", "9"], ["--unknown"], ["x"]])
def test_what_is_wrong_is_one_line(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["link", *wrong]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_key_that_is_missing_or_short_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in ("", "short"):
        monkeypatch.setenv("PIXELFLEET_LINK_KEY", value)
        assert main(["link"]) == 2
        error = capsys.readouterr().err
        assert "PIXELFLEET_LINK_KEY" in error
        assert "short" not in error
