from pathlib import Path

from pixelfleet_cli.cli import WITH_SETTINGS
from pixelfleet_cli.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


def test_the_checked_in_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run `make generated`"


def test_every_command_has_its_settings_with_values_defaults_and_ranges() -> None:
    text = reference()
    for name in WITH_SETTINGS:
        assert f"## {name}\n" in text
    assert "| `--player-port PORT` | `4000` | Players " in text
    assert "| `--policy spread\\|pack\\|oldest` | `spread` | " in text
    assert "| `--rest-api` |  | " in text
    assert "| `--[no-]ice-servers` | `on` | " in text
    assert "| `--transports stun\\|udp\\|tcp\\|tls,...` | `stun,udp,tcp` | " in text
    assert "| `--session-key-file FILE`, `--session-key SECRET` |  | " in text
    assert "Range: from 0.1 up to 3600. |" in text
    assert "Range: at most 64 characters. |" in text


def test_a_shared_setting_is_repeated_only_with_another_default() -> None:
    text = reference()
    assert text.count("| `--max-message-bytes ") == 1
    assert text.count("| `--log-level ") == 3


def test_settings_without_effect_are_listed() -> None:
    text = reference()
    assert "`--dial-seconds` has no effect in signalserver." in text
    streamer = text.partition("## streamer\n")[2].partition("\n## ")[0]
    assert "--host" not in streamer


def test_the_page_contains_no_local_paths() -> None:
    assert str(PAGE.parents[2]) not in reference()
