"""Arguments of `pixelfleet fleet`, and the one-line errors."""

import pytest

from pixelfleet_cli.cli import EXIT_USAGE, main


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "COMMAND"),
        (["list"], "list"),
        (["ls", "players"], "players"),
        (["ls", "--limit", "0"], "--limit"),
        (["ls", "--limit", "many"], "--limit"),
        (["drain"], "STREAMER"),
        (["kick"], "SESSION"),
        (["ls", "--no-such-option"], "--no-such-option"),
        (["ls", "--url", "nowhere"], "--url: must be http://host:port"),
    ],
)
def test_an_invalid_argument_is_named_in_one_line(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fleet", *arguments]) == EXIT_USAGE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert named in printed.err


@pytest.mark.parametrize("action", ["ls", "drain", "undrain", "kick"])
def test_every_action_has_help(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fleet", action, "--help"])
    assert ended.value.code == 0
    assert "--token" in capsys.readouterr().out
