"""`pixelfleet link`."""

import time

import pytest

from pixelfleet.auth.links import verify
from pixelfleet.fleet import invites
from pixelfleet_cli.cli import main

KEY = "k" * 32


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXELFLEET_LINK_KEY", KEY)


def test_the_printed_link_has_the_content_of_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--url", "https://play.test/?x=1", "--expires", "2h", "--once", "--app", "demo", "--priority", "3"]
    assert main(["link", *options, "--role", "host", "--id", "pod/cam", "--subject", "ada"]) == 0
    url = capsys.readouterr().out.strip()
    assert url.startswith("https://play.test/?x=1&link=")
    link = verify(url.partition("link=")[2], KEY)
    assert (link.app, link.wants, link.priority, link.roles, link.once) == ("demo", "pod/cam", 3, ("host",), True)
    assert 7100 < link.expires - time.time() <= 7201


def test_without_a_url_only_the_token_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["link"]) == 0
    assert verify(capsys.readouterr().out.strip(), KEY).once is False


@pytest.mark.parametrize(
    "arguments", [["--expires", "0"], ["--expires", "2y"], ["--priority", "9"], ["--unknown"], ["x"]]
)
def test_an_error_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["link", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_missing_or_short_key_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for value in ("", "short"):
        monkeypatch.setenv("PIXELFLEET_LINK_KEY", value)
        assert main(["link"]) == 2
        error = capsys.readouterr().err
        assert "PIXELFLEET_LINK_KEY" in error
        assert "short" not in error


INVITE = ["--session", "s" * 32, "--app", "demo", "--role", "guest"]


def test_an_invite_is_signed_with_the_session_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIXELFLEET_SESSION_KEY", KEY)
    assert main(["link", *INVITE, "--once", "--subject", "Ada", "--url", "https://play.test/"]) == 0
    url = capsys.readouterr().out.strip()
    assert url.startswith("https://play.test/?invite=")
    invite = invites.verify(url.partition("invite=")[2], invites.invite_key(KEY))
    assert (invite.session, invite.role, invite.app, invite.name) == ("s" * 32, "guest", "demo", "Ada")
    assert invite.once


@pytest.mark.parametrize(
    "arguments",
    [
        ["--session", "s"],
        ["--session", "s", "--role", "guest"],
        ["--session", "s", "--app", "a", "--role", "host"],
        [*INVITE, "--role", "spectator"],
        [*INVITE, "--id", "cam"],
        [*INVITE, "--priority", "1"],
        [*INVITE, "--expires", "8d"],
        [*INVITE, "--subject", "n" * 41],
    ],
)
def test_an_invite_with_other_options_is_refused(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIXELFLEET_SESSION_KEY", KEY)
    assert main(["link", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_invite_needs_the_session_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["link", *INVITE]) == 2
    assert "PIXELFLEET_SESSION_KEY" in capsys.readouterr().err
