import pytest

from pixelfleet.service.errors import UsageError
from pixelfleet.service.settings import load
from pixelfleet_cli.demo.settings import Settings


def test_the_defaults_are_one_streamer_on_the_local_machine() -> None:
    settings = load(Settings, [])
    assert (settings.host, settings.port, settings.streamers, settings.streamer_port) == ("127.0.0.1", 8080, 1, None)
    assert (settings.width, settings.height, settings.fps) == (1280, 720, 30)
    assert settings.log_level == "warning"


def test_options_and_environment_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXELFLEET_DEMO_STREAMERS", "3")
    settings = load(Settings, ["--port", "9000", "--streamer-port", "0"])
    assert (settings.port, settings.streamers, settings.streamer_port) == (9000, 3, 0)


@pytest.mark.parametrize(
    "options",
    [
        ["--port", "65536"],
        ["--streamers", "65"],
        ["--streamers", "-1"],
        ["--streamer-port", "x"],
        ["--capacity", "-1"],
        ["--width", "15"],
        ["--height", "100000"],
        ["--fps", "0"],
        ["--host", ""],
    ],
    ids=" ".join,
)
def test_values_out_of_range_are_refused(options: list[str]) -> None:
    with pytest.raises(UsageError, match=f"^{options[0]}: "):
        load(Settings, options)
