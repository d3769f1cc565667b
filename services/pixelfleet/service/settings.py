"""Settings: one typed class for each service, read from options, environment and a JSON file.

A field ``player_port`` of the signalserver is the option ``--player-port``, the environment variable
``PIXELFLEET_SIGNALSERVER_PLAYER_PORT`` and the key ``player_port`` of the file ``--config``, in this order of
precedence. A secret ``session_key`` can also be in a file, whose path is in ``session_key_file``.

Modules with settings import no library that does I/O: an invalid option is reported before the application is imported.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, TypeVar

from pydantic import Field, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from pixelfleet.service.catalogue import catalogue, names_of, option_of
from pixelfleet.service.errors import UsageError
from pixelfleet.service.help import help_of, terminal_width
from pixelfleet.service.options import HelpRequested, named_config, parse_options, parsed
from pixelfleet.service.secret_files import with_files_read
from pixelfleet.service.spelling import closest
from pixelfleet.service.values import Address, File, check_path

MAX_CONFIG_BYTES: Final = 1024 * 1024

MAX_NUMBER: Final = 2**53
"""The largest number of a setting without a maximum of its own. Larger ones overflow in calculations with floats."""

S = TypeVar("S", bound="ServiceSettings")


class ConfigFileSource(PydanticBaseSettingsSource):
    """The JSON file whose path an earlier source has as ``config``."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return no value: ``__call__`` reads the whole file."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the file's object, with translated keys of reference servers and the content of secret files."""
        path = self.current_state.get("config")
        if not path:
            return {}
        keys = read_config_file(Path(path))
        translate = getattr(self.settings_cls, "translate_config", None)
        return with_files_read(self.settings_cls, translate(keys) if translate else keys, self.current_state)


class EnvironmentSource(EnvSettingsSource):
    """The environment, with the option syntax for lists and tables, and `…_FILE` for the file of a secret."""

    def __call__(self) -> dict[str, Any]:
        """Return the values of all variables of the settings."""
        files = {
            setting.file_name: self.env_vars.get(f"{self.env_prefix}{setting.file_name}".lower())
            for setting in catalogue(self.settings_cls).values()
            if setting.file_name
        }
        return with_files_read(self.settings_cls, {**super().__call__(), **files}, self.current_state)

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Return the value of a list or a table."""
        setting = catalogue(self.settings_cls).get(field_name)
        return parsed(setting, value) if setting and isinstance(value, str) else value


def read_config_file(path: Path) -> dict[str, Any]:
    """Return the JSON object in the file; raise UsageError when the file is unreadable or has no JSON object."""
    try:
        check_path(path)
    except ValueError as error:
        raise UsageError(f"--config: {error}") from None
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
        raise UsageError(f"--config {path}: must contain one JSON object")
    return keys


class ServiceSettings(BaseSettings):
    """The settings of every command."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_", extra="forbid", allow_inf_nan=False)

    command: ClassVar[str] = "service"
    sections: ClassVar[Mapping[str, str]] = {"config": "Configuration and log", "host": "Addresses and ports"}
    """The sections of help: titles by the first field of each section, for the class's own fields."""
    unused: ClassVar[frozenset[str]] = frozenset()
    """Inherited settings without effect in this command: accepted, and not documented."""

    config: File | None = Field(None, description="The command reads settings from this JSON file.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The log contains events of this level and of higher levels."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="The log is text for a terminal, or a JSON object for each event."
    )
    host: Address = Field("0.0.0.0", min_length=1, description="The service listens on this address.")  # noqa: S104

    @field_validator("*")
    @classmethod
    def _is_calculable(cls, value: Any) -> Any:
        if isinstance(value, int | float) and abs(value) > MAX_NUMBER:
            raise ValueError(f"must be at most {MAX_NUMBER}")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Give the config file the lowest precedence; do not read .env files."""
        return init_settings, EnvironmentSource(settings_cls), ConfigFileSource(settings_cls)


def load(cls: type[S], argv: Sequence[str]) -> S:
    """Return the settings from options, environment and config file.

    Raises UsageError with one line that names the invalid option, and SystemExit after ``--help``.
    """
    arguments = list(argv)
    translate = getattr(cls, "translate_arguments", None)
    if translate is not None:
        named = named_config(arguments)
        arguments = translate(arguments, read_config_file(Path(named)) if named else None)
    try:
        return cls(**with_files_read(cls, parse_options(cls, arguments), {}))
    except HelpRequested:
        sys.stdout.write(help_of(cls, cls.command, terminal_width()) + "\n")
        raise SystemExit(0) from None
    except ValidationError as error:
        raise UsageError("; ".join(_explain(cls, detail) for detail in error.errors())) from None


def _explain(cls: type[ServiceSettings], detail: Mapping[str, Any]) -> str:
    """Return the error of one setting with its option, and without a value that may be a secret."""
    where = detail["loc"]
    if not where:
        return str(detail["msg"]).removeprefix("Value error, ")
    name = str(where[0])
    if detail["type"] == "extra_forbidden":
        meant = closest(name, names_of(cls))
        suggestion = f" (did you mean {meant!r}?)" if meant else ""
        return f"unknown setting {name[:80]!r} in the config file{suggestion}; see `pixelfleet {cls.command} --help`"
    message = str(detail["msg"]).removeprefix("Value error, ")
    setting = catalogue(cls).get(name)
    value = f" (got {str(detail['input'])[:80]!r})" if setting is not None and setting.shows_value else ""
    return f"{option_of(name)}: {message[0].lower()}{message[1:]}{value}"
