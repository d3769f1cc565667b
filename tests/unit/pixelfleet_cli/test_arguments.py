"""Arguments of the commands that run no service."""

from pathlib import Path

import pytest

from pixelfleet.service.errors import UsageError
from pixelfleet_cli.arguments import Parser, secret

VARIABLE = "PIXELFLEET_EXAMPLE_TOKEN"


@pytest.fixture
def parser() -> Parser:
    parser = Parser(prog="pixelfleet example")
    commands = parser.add_subparsers(dest="command")
    ls = commands.add_parser("ls")
    ls.add_argument("what", nargs="?")
    ls.add_argument("--token")
    ls.add_argument("--limit", type=int)
    return parser


def refused(parser: Parser, *arguments: str) -> str:
    with pytest.raises(UsageError) as error:
        parser.parse(arguments)
    return str(error.value)


def test_a_misspelled_option_is_named_and_its_value_is_not_repeated(parser: Parser) -> None:
    error = refused(parser, "ls", "--tokn", "t0psecret")
    assert error == "unknown option --tokn (did you mean --token?); see `pixelfleet example --help`"
    assert "t0psecret" not in refused(parser, "ls", "--tokn=t0psecret")


def test_other_errors_name_the_argument(parser: Parser) -> None:
    assert "more arguments" in refused(parser, "ls", "a", "b")
    assert "--limit" in refused(parser, "ls", "--limit", "many")
    assert "s3cret" not in refused(parser, "ls", "--limit", "s3cret 'a'")
    assert "lss" in refused(parser, "lss")


def test_arguments_after_two_dashes_are_not_options(parser: Parser) -> None:
    assert parser.parse(["ls", "--", "--what"]).what == "--what"


def test_the_usage_line_begins_with_a_capital(parser: Parser) -> None:
    assert parser.format_help().startswith("Usage: pixelfleet example")
    assert "\nOptions:\n" in parser.format_help()


def test_options_override_the_variables_of_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, other = tmp_path / "token", tmp_path / "other"
    file.write_text("of the file\n")
    other.write_text("of the other file")
    assert secret("--token", None, None, VARIABLE) == ""
    monkeypatch.setenv(f"{VARIABLE}_FILE", str(other))
    assert secret("--token", None, None, VARIABLE) == "of the other file"
    assert secret("--token", None, file, VARIABLE) == "of the file"
    assert secret("--token", "itself", None, VARIABLE) == "itself"


def test_a_secret_and_its_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--token and --token-file"):
        secret("--token", "itself", tmp_path, VARIABLE)
    monkeypatch.setenv(VARIABLE, "itself")
    monkeypatch.setenv(f"{VARIABLE}_FILE", "file")
    with pytest.raises(UsageError, match=f"{VARIABLE} and {VARIABLE}_FILE"):
        secret("--token", None, None, VARIABLE)


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"--token-file .*missing: No such file"):
        secret("--token", None, tmp_path / "missing", VARIABLE)
    monkeypatch.setenv(f"{VARIABLE}_FILE", str(tmp_path / "missing"))
    with pytest.raises(UsageError, match=f"{VARIABLE}_FILE .*missing: No such file"):
        secret("--token", None, None, VARIABLE)
