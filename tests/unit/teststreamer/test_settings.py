"""The test streamer's settings and their checks."""

from ipaddress import ip_address

import pytest

from pixelfleet.service.errors import UsageError
from pixelfleet.service.settings import load
from teststreamer.settings import Settings


def test_it_runs_without_being_told_anything() -> None:
    settings = load(Settings, [])
    assert (settings.width, settings.height, settings.fps, settings.codec) == (1280, 720, 30, "h264")
    assert settings.url == "ws://127.0.0.1:8888"
    assert settings.max_players == 0


def test_two_streamers_have_two_ids() -> None:
    assert Settings().id.startswith("test-")
    assert len({Settings().id for _ in range(5)}) > 1


def test_options_and_environment_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXELFLEET_STREAMER_FPS", "25")
    monkeypatch.setenv("PIXELFLEET_STREAMER_CODEC", "vp8")
    settings = load(
        Settings,
        ["--id", "cam", "--codec", "h264", "--ice-address", "192.0.2.1", "--ice-address", "::1", "--no-ice-servers"],
    )
    assert (settings.id, settings.fps, settings.codec, settings.ice_servers) == ("cam", 25, "h264", False)
    assert settings.ice_address == [ip_address("192.0.2.1"), ip_address("::1")]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--width", "641"], "--width"),
        (["--width", "320"], "--width"),
        (["--height", "100000"], "--height"),
        (["--fps", "0"], "--fps"),
        (["--codec", "av1"], "--codec"),
        (["--url", "http://127.0.0.1"], "--url"),
        (["--id", ""], "--id"),
        (["--max-players", "-1"], "--max-players"),
        (["--min-bitrate", "9000000"], "--min-bitrate"),
        (["--ice-address", "eth0"], "--ice-address"),
        (["--connect-seconds", "0"], "--connect-seconds"),
    ],
)
def test_a_bad_value_is_named(options: list[str], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        load(Settings, options)
