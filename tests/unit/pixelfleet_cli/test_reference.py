from pathlib import Path

from pixelfleet_cli.cli import WITH_SETTINGS
from pixelfleet_cli.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


def test_the_page_in_the_documents_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run `make generated`"


def test_every_command_has_its_settings_with_values_defaults_and_bounds() -> None:
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


def test_a_shared_setting_stands_once_and_again_only_where_its_default_differs() -> None:
    text = reference()
    assert text.count("| `--max-message-bytes ") == 1
    assert text.count("| `--log-level ") == 2


def test_what_a_command_ignores_is_named() -> None:
    text = reference()
    assert "`--dial-seconds` has no effect in signalserver." in text
    streamer = text.partition("## streamer\n")[2].partition("\n## ")[0]
    assert "--host" not in streamer


def test_nothing_of_the_machine_that_made_it_is_in_the_page() -> None:
    assert str(PAGE.parents[2]) not in reference()
