"""Settings: one typed class a service, read from options, environment and a JSON file.

A field ``player_port`` of the signalserver is the option ``--player-port``, the environment variable
``PIXELFLEET_SIGNALSERVER_PLAYER_PORT`` and the key ``player_port`` of the file given with ``--config``. The
earlier in that list wins.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, TypeVar, get_origin

from pydantic import Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    CliSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from pixelfleet.service.errors import UsageError

MAX_CONFIG_BYTES = 1024 * 1024

_UNKNOWN: Final = "unrecognized arguments: "
"""How argparse begins what it says of arguments that it does not know."""

S = TypeVar("S", bound="ServiceSettings")


class ConfigFileSource(PydanticBaseSettingsSource):
    """The JSON file that an earlier source named as ``config``."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Is not used: the whole file is read at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the file's object, with the aliases of older servers translated."""
        path = self.current_state.get("config")
        if not path:
            return {}
        keys = read_config_file(Path(path))
        translate = getattr(self.settings_cls, "translate_config", None)
        return translate(keys) if translate else keys


class EnvironmentSource(EnvSettingsSource):
    """The environment, where a list may be written as in an option: `a,b` as well as `["a","b"]`."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Return a list's parts, and of all else the value of its JSON."""
        if get_origin(field.annotation) is list and isinstance(value, str) and not value.lstrip().startswith("["):
            return [part for part in map(str.strip, value.split(",")) if part]
        return super().decode_complex_value(field_name, field, value)


def read_config_file(path: Path) -> dict[str, Any]:
    """Return the JSON object in the file; raise UsageError when there is none."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise UsageError(f"--config {path}: {error.strerror or error}") from None
    if len(text) > MAX_CONFIG_BYTES:
        raise UsageError(f"--config {path}: larger than {MAX_CONFIG_BYTES} bytes")
    try:
        keys = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--config {path}: is not JSON: {error}") from None
    if not isinstance(keys, dict):
        raise UsageError(f"--config {path}: must hold one JSON object")
    return keys


class ServiceSettings(BaseSettings):
    """What every service can be told."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_", extra="forbid")

    command: ClassVar[str] = "service"

    config: Path | None = Field(None, description="JSON file with settings; options and environment win over it")
    host: str = Field("0.0.0.0", description="address to listen on", min_length=1)  # noqa: S104 - a public server
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")
    log_format: Literal["console", "json"] = Field("console", description="log lines for people or for machines")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the config file behind code and environment; read no .env behind the user's back."""
        return init_settings, EnvironmentSource(settings_cls), ConfigFileSource(settings_cls)


def load(cls: type[S], argv: Sequence[str]) -> S:
    """Return the settings that options, environment and config file give together.

    Raises UsageError with one line that names the option at fault; exits (SystemExit) after ``--help``.
    """
    arguments = list(argv)
    translate = getattr(cls, "translate_arguments", None)
    if translate is not None:
        named = _named_config(arguments)
        arguments = translate(arguments, read_config_file(named) if named else None)
    source: CliSettingsSource[Any] = CliSettingsSource(
        cls,
        cli_prog_name=f"pixelfleet {cls.command}",
        cli_parse_args=False,
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_exit_on_error=False,
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )
    try:
        return cls(_cli_settings_source=source(args=arguments))
    except SettingsError as error:
        raise UsageError(f"{_without_values(str(error), arguments)}; see `pixelfleet {cls.command} --help`") from None
    except ValidationError as error:
        raise UsageError("; ".join(_explain(cls, detail) for detail in error.errors())) from None


def _named_config(arguments: Sequence[str]) -> Path | None:
    """Return the file that `--config` names."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--config", type=Path)
    try:
        return parser.parse_known_args(arguments)[0].config  # type: ignore[no-any-return]  # a namespace is untyped
    except argparse.ArgumentError:
        return None


def _without_values(said: str, arguments: Sequence[str]) -> str:
    """Return what argparse says in one line, without the values of options: a misspelled one may be a secret's."""
    reason = said.removeprefix("error parsing CLI: ")
    if reason.startswith(_UNKNOWN):
        unknown = reason.removeprefix(_UNKNOWN).split(" ")
        named = [name for name in map(_option_name, arguments) if name and name in map(_option_name, unknown)]
        if named:
            return f"unknown option {', '.join(dict.fromkeys(named))}"
        return "an argument is no option, nor an option's value"
    for argument in arguments:
        if (name := _option_name(argument)) != argument and name:
            reason = reason.replace(argument, name)
    return reason.splitlines()[0]


def _option_name(argument: str) -> str:
    """Return an option's name without its value; nothing for what is no option."""
    name = argument.partition("=")[0]
    return name.splitlines()[0] if name.startswith("-") else ""


def _explain(cls: type[ServiceSettings], detail: Mapping[str, Any]) -> str:
    """Return what is wrong with one setting, by the option's name, without showing a secret's value."""
    where = detail["loc"]
    if not where:
        return str(detail["msg"]).removeprefix("Value error, ")
    name = str(where[0])
    option = "--" + name.replace("_", "-")
    if detail["type"] == "extra_forbidden":
        return f"unknown setting {name!r} in the config file; see `pixelfleet {cls.command} --help`"
    message = str(detail["msg"]).removeprefix("Value error, ")
    field = cls.model_fields.get(name)
    secret = field is not None and SecretStr in (field.annotation, *getattr(field.annotation, "__args__", ()))
    value = "" if secret else f" (got {str(detail['input'])[:80]!r})"
    return f"{option}: {message[0].lower()}{message[1:]}{value}"
