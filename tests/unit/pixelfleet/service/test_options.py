"""Command-line options: their values, and the one-line errors."""

from typing import Any, ClassVar

import pytest
from pydantic import Field

from pixelfleet.service.errors import UsageError
from pixelfleet.service.options import HelpRequested, named_config, parse_list, parse_options, parse_table
from pixelfleet.service.settings import ServiceSettings


class Example(ServiceSettings):
    """One field of each form."""

    command: ClassVar[str] = "example"
    unused: ClassVar[frozenset[str]] = frozenset({"host"})

    player_port: int = Field(1, description="A number.")
    serve: bool = Field(False, description="A switch.")
    ask: bool | None = Field(None, description="A switch with three states.")
    peers: list[str] = Field([], description="A list.")
    labels: dict[str, str] = Field({}, description="A table.")
    claims: dict[str, Any] = Field({}, description="A table of any values.")


def refused(*arguments: str) -> str:
    with pytest.raises(UsageError) as error:
        parse_options(Example, arguments)
    return str(error.value)


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ([], {}),
        (["--player-port", "-1"], {"player_port": "-1"}),
        (["--player-port=", "--serve"], {"player_port": "", "serve": True}),
        (["--player-port", "-h"], {"player_port": "-h"}),
        (["--serve", "--no-serve"], {"serve": False}),
        (["--serve", "false"], {"serve": False}),
        (["--no-ask=false"], {"ask": True}),
        (["--peers", "a, b", "--peers", '["c"]'], {"peers": ["a", "b", "c"]}),
        (["--labels", "a=1,b=x=y", "--labels", '{"c": "2"}'], {"labels": {"a": "1", "b": "x=y", "c": "2"}}),
        (["--claims", "a=true,b=null,c=1"], {"claims": {"a": True, "b": None, "c": "1"}}),
        (["--labels", "a=true"], {"labels": {"a": "true"}}),
        (["--"], {}),
    ],
    ids=str,
)
def test_options_have_values(arguments: list[str], values: dict[str, Any]) -> None:
    assert parse_options(Example, arguments) == values


@pytest.mark.parametrize("arguments", [["-h"], ["--help"], ["--no-such", "--help"], ["x", "-h"]], ids=str)
def test_help_is_requested(arguments: list[str]) -> None:
    with pytest.raises(HelpRequested):
        parse_options(Example, arguments)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--playr-port", "1"], "unknown option --playr-port (did you mean --player-port?)"),
        (["--Serve"], "unknown option --Serve (did you mean --serve?)"),
        (["--player_port=5"], "unknown option --player_port (did you mean --player-port?)"),
        (["--no-srve", "--peer", "a"], "unknown option --no-srve, --peer (did you mean --no-serve, --peers?)"),
        (["--quite-another-thing"], "unknown option --quite-another-thing;"),
        (["surplus"], "not an option"),
        (["--serve", "yes"], "not an option"),
        (["--serve=yes"], "--serve: must be true or false"),
        (["--player-port"], "--player-port: needs a value"),
        (["--player-port", "--serve"], "--player-port: needs a value"),
        (["--labels", "a"], "--labels: must be a JSON object or comma-separated KEY=VALUE"),
        (["--labels", "=a"], "--labels: must be a JSON object or comma-separated KEY=VALUE"),
        (["--labels", "{"], "--labels: must be a JSON object or comma-separated KEY=VALUE"),
        (["--peers", "["], "--peers: must be a JSON array"),
    ],
    ids=str,
)
def test_an_error_names_the_option(arguments: list[str], error: str) -> None:
    assert error in refused(*arguments)


def test_an_unknown_option_refers_to_help() -> None:
    assert refused("--playr-port").endswith("; see `pixelfleet example --help`")


def test_an_unused_option_is_accepted_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_options(Example, ["--host", "0.0.0.0", "--serve"]) == {"serve": True}
    assert capsys.readouterr().err == "pixelfleet: warning: --host: is not used by this command\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], None),
        (["--config"], None),
        (["--config", "a"], "a"),
        (["--config=a", "--config", "b"], "b"),
        (["--config="], ""),
    ],
    ids=str,
)
def test_the_config_file_is_found_before_the_options_are_parsed(arguments: list[str], named: str | None) -> None:
    assert named_config(arguments) == named


def test_empty_text_is_an_empty_list_and_an_empty_table() -> None:
    assert parse_list("") == []
    assert parse_table("") == {}
