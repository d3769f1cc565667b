"""What a person types, and the line that says what is wrong with it."""

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
        (["ls", "--url", "nowhere"], "--url nowhere"),
    ],
)
def test_what_cannot_be_is_named_in_one_line(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fleet", *arguments]) == EXIT_USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert named in said.err


@pytest.mark.parametrize("action", ["ls", "drain", "undrain", "kick"])
def test_every_action_has_help(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fleet", action, "--help"])
    assert ended.value.code == 0
    assert "--token" in capsys.readouterr().out
