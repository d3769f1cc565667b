from pathlib import Path

from pixelfleet_cli.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


def test_the_page_in_the_documents_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run `make generated`"


def test_every_command_is_told_of_with_its_bounds_and_defaults() -> None:
    text = reference()
    for name in ("demo", "signalserver", "matchmaker", "router", "turn-api", "turn-check", "streamer"):
        assert f"## {name}\n" in text
    assert "| `--player-port` | whole number from 0 to 65535 | `4000` | port for players |" in text
    assert "| `--policy` | `spread`, `pack`, `oldest` | `spread` |" in text
    assert "| `--rest-api` | switch | off |" in text
    assert "| `--transports` | list of `stun`, `udp`, `tcp`, `tls` | `stun,udp,tcp` |" in text


def test_nothing_of_the_machine_that_made_it_is_in_the_page() -> None:
    assert str(PAGE.parents[2]) not in reference()
