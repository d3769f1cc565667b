"""Help, and the catalogue of settings behind it."""

import importlib
import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from pixelfleet.service.catalogue import OTHER, Setting, catalogue
from pixelfleet.service.help import help_of, written
from pixelfleet.service.settings import ServiceSettings
from pixelfleet.service.values import Placeholder, Port, Seconds
from pixelfleet_cli.cli import WITH_SETTINGS


class Base(ServiceSettings):
    """Inherited settings."""

    sections: ClassVar[dict[str, str]] = {"rate": "Limits"}

    rate: float = Field(2.0, description="This is the rate.")
    idle: Seconds = Field(0.5, description="This is the time.")


class Example(Base):
    """The example has one field
    of each kind.
    """

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_EXAMPLE_")
    command: ClassVar[str] = "example"
    sections: ClassVar[dict[str, str]] = {"port": "Addresses and ports", "mode": "Modes"}
    unused: ClassVar[frozenset[str]] = frozenset({"log_format", "idle"})

    port: Port = Field(4000, description="Clients connect to this port.")
    other_port: Port | None = Field(None, description="More clients connect to this port.")
    mode: Literal["one", "two"] = Field("one", description="This is the mode.")
    serve: bool = Field(False, description="The example serves.")
    ask: bool | None = Field(None, description="The example asks.")
    ice: bool = Field(True, description="The example uses ICE.")
    names: list[str] = Field(["a", "b"], description="These are names.")
    servers: list[Annotated[str, Placeholder("HOST[:PORT]")]] = Field([], description="These are servers.")
    labels: dict[str, str] = Field({}, description="These are labels.")
    folder: Path = Field(Path("/opt/x"), description="This is a path.")
    token: Annotated[SecretStr, Placeholder("TOKEN")] | None = Field(None, description="This is a secret.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("warning", description="This is the level.")
    rate: float = Field(3.0, description="This is the rate.")


def lines(width: int = 80) -> list[str]:
    return help_of(Example, "example", width).splitlines()


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("port", "--port PORT"),
        ("other_port", "--other-port PORT"),
        ("mode", "--mode one|two"),
        ("serve", "--serve"),
        ("ask", "--[no-]ask"),
        ("ice", "--[no-]ice"),
        ("names", "--names TEXT,..."),
        ("servers", "--servers HOST[:PORT],..."),
        ("labels", "--labels KEY=VALUE,..."),
        ("folder", "--folder FILE"),
        ("token", "--token-file FILE"),
        ("rate", "--rate NUMBER"),
    ],
)
def test_an_option_has_a_placeholder(name: str, option: str) -> None:
    assert written(catalogue(Example)[name]) == option
    assert any(line.split("  ")[1] == option for line in lines() if line.startswith("  --"))


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("port", "4000"),
        ("other_port", ""),
        ("serve", ""),
        ("ice", "on"),
        ("names", "a,b"),
        ("labels", ""),
        ("folder", "installed with the package"),
        ("rate", "3"),
        ("host", "0.0.0.0"),
    ],
)
def test_a_default_has_the_form_of_an_option(name: str, default: str) -> None:
    assert catalogue(Example)[name].default == default


def test_options_are_in_sections_those_of_the_command_first() -> None:
    titles = [line for line in lines() if re.fullmatch(r"\w[^.]*:", line)]
    assert titles == ["Addresses and ports:", "Modes:", "Configuration and log:", "Limits:"]
    sections: dict[str, list[str]] = {}
    for setting in catalogue(Example).values():
        sections.setdefault(setting.section, []).append(setting.name)
    assert sections["Addresses and ports"] == ["port", "other_port", "host"]
    assert sections["Limits"] == ["rate"], "a redeclared field stays in the section of its base class"
    assert sections["Configuration and log"] == ["log_level", "config"]


def test_unused_settings_are_not_shown() -> None:
    text = "\n".join(lines())
    assert "--log-format" not in text
    assert "--idle" not in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_fit_the_terminal_and_defaults_are_not_split(width: int) -> None:
    assert max(map(len, lines(width))) <= width
    assert "(default: 4000)" in help_of(Example, "example", width)
    assert "\N{NO-BREAK SPACE}" not in help_of(Example, "example", width)


def test_environment_variables_and_secret_files_are_explained() -> None:
    text = " ".join(" ".join(lines()).split())
    assert "PIXELFLEET_EXAMPLE_PORT for --port" in text
    assert "--NAME-file" in text
    assert "--NAME-file" not in help_of(ServiceSettings, "service", 80)


EVERY = [
    (name, setting)
    for name, command in WITH_SETTINGS.items()
    for setting in catalogue(importlib.import_module(f"{command.package}.settings").Settings).values()
]


@pytest.mark.parametrize(("command", "setting"), EVERY, ids=lambda each: getattr(each, "name", each))
def test_every_setting_of_a_command_has_a_section_and_a_whole_sentence(command: str, setting: Setting) -> None:
    assert setting.section != OTHER, f"{command}: no section starts before {setting.name}"
    assert setting.placeholder != "VALUE", f"{command}: {setting.name} has no placeholder"
    text = setting.field.description or ""
    assert re.match(r"[A-Z].*\.$", text), text
    assert all(len(sentence.split()) <= 40 for sentence in text.split(". "))
    assert not re.search(r"\b(say|says|said|tell|tells|told|whoever|nobody|anybody)\b", text), text
