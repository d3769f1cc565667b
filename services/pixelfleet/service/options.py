"""Parses command-line options for a settings class, without importing the application."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel

from pixelfleet.service.catalogue import Form, Setting, catalogue, core_type, option_of
from pixelfleet.service.errors import UsageError, warn
from pixelfleet.service.spelling import closest

SWITCHED: Final = {"true": True, "false": False}
LITERALS: Final = {**SWITCHED, "null": None}
MAX_SHOWN: Final = 60
"""The maximum number of characters of an unknown option in an error."""


class HelpRequested(Exception):  # noqa: N818 - not an error
    """The options request help."""


def parse_options(cls: type[BaseModel], arguments: Sequence[str]) -> dict[str, Any]:
    """Return the values of options by the name of the setting, or of a secret's file.

    The values of a repeated list or table are merged; any other setting has its last value. Raises UsageError for an
    unknown option, an extra argument or a missing value, and HelpRequested for `--help`.
    """
    known = _known(cls)
    values: dict[str, Any] = {}
    unknown: list[str] = []
    surplus = False
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument in ("-h", "--help"):
            raise HelpRequested
        option, equals, inline = argument.partition("=")
        if option not in known:
            if argument.startswith("--") and argument != "--":
                unknown.append(option.splitlines()[0][:MAX_SHOWN])
            surplus = surplus or not argument.startswith("--")
            continue
        name, setting, negated = known[option]
        text = inline if equals else _following(rest, setting)
        if setting is None:
            warn(f"{option}: is not used by this command")
        elif setting.form is Form.SWITCH:
            values[name] = _switched(option, text) is not negated
        elif text is None:
            raise UsageError(f"{option}: needs a value")
        else:
            _add(values, name, setting, text)
    if unknown:
        raise UsageError(f"{_unknown(unknown, known)}; see `pixelfleet {getattr(cls, 'command', '')} --help`")
    if surplus:
        raise UsageError(
            f"an argument is not an option or its value; see `pixelfleet {getattr(cls, 'command', '')} --help`"
        )
    return values


def parse_list(text: str) -> list[Any]:
    """Return the items of a JSON array or of comma-separated text; raise UsageError."""
    if text.lstrip().startswith("["):
        try:
            parts = json.loads(text)
        except (ValueError, RecursionError):
            raise UsageError("must be a JSON array or comma-separated values") from None
        assert isinstance(parts, list)
        return parts
    return [part for part in map(str.strip, text.split(",")) if part]


def parse_table(text: str, kind: Any = str) -> dict[str, Any]:
    """Return the pairs of a JSON object or of comma-separated `KEY=VALUE` text; raise UsageError.

    Values of `KEY=VALUE` are text. With the kind `Any`, `true`, `false` and `null` have their meaning in JSON.
    """
    if text.lstrip().startswith("{"):
        try:
            table = json.loads(text)
        except (ValueError, RecursionError):
            raise UsageError("must be a JSON object or comma-separated KEY=VALUE pairs") from None
        assert isinstance(table, dict)
        return table
    pairs = [part.partition("=") for part in map(str.strip, text.split(",")) if part]
    if not all(key and equals for key, equals, _ in pairs):
        raise UsageError("must be a JSON object or comma-separated KEY=VALUE pairs")
    return {key: LITERALS.get(value, value) if kind is Any else value for key, _, value in pairs}


def parsed(setting: Setting, text: str) -> Any:
    """Return the value of a setting's text; raise UsageError with the option's name."""
    try:
        if setting.form is Form.LIST:
            return parse_list(text)
        if setting.form is Form.TABLE:
            return parse_table(text, get_args(core_type(setting.field.annotation))[1])
    except UsageError as error:
        raise UsageError(f"{setting.option}: {error}") from None
    return text


def named_config(arguments: Sequence[str]) -> str | None:
    """Return the value of the last `--config`, or None."""
    named = None
    for place, argument in enumerate(arguments):
        if argument.startswith("--config="):
            named = argument.partition("=")[2]
        elif argument == "--config" and place + 1 < len(arguments):
            named = arguments[place + 1]
    return named


def _known(cls: type[BaseModel]) -> dict[str, tuple[str, Setting | None, bool]]:
    """Return by option the name it sets, its setting (None when it is unused), and whether it negates."""
    known: dict[str, tuple[str, Setting | None, bool]] = {}
    for name, setting in catalogue(cls).items():
        known[setting.option] = (name, setting, False)
        if setting.form is Form.SWITCH:
            known[f"--no-{setting.option[2:]}"] = (name, setting, True)
        if setting.file_name:
            known[setting.file_option] = (setting.file_name, setting, False)
    for name in getattr(cls, "unused", ()):
        known[option_of(name)] = (name, None, False)
    return known


def _following(rest: list[str], setting: Setting | None) -> str | None:
    """Remove and return the value after an option: `true` or `false` of a switch, otherwise anything without `--`."""
    is_switch = setting is not None and setting.form is Form.SWITCH
    if not rest or rest[0].startswith("--") or (is_switch and rest[0] not in SWITCHED):
        return None
    return rest.pop(0)


def _switched(option: str, text: str | None) -> bool:
    if text is None:
        return True
    if text not in SWITCHED:
        raise UsageError(f"{option}: must be true or false")
    return SWITCHED[text]


def _add(values: dict[str, Any], name: str, setting: Setting, text: str) -> None:
    value: Any = parsed(setting, text) if name == setting.name else text
    if setting.form is Form.LIST:
        values[name] = [*values.get(name, ()), *value]
    elif setting.form is Form.TABLE:
        values[name] = {**values.get(name, {}), **value}
    else:
        values[name] = value


def _unknown(options: Sequence[str], known: Mapping[str, object]) -> str:
    """Return the error for unknown options, with a similar option as a suggestion."""
    named = list(dict.fromkeys(options))
    meant = list(dict.fromkeys(filter(None, (closest(option, known) for option in named))))
    suggestion = f" (did you mean {', '.join(meant)}?)" if meant else ""
    return f"unknown option {', '.join(named)}{suggestion}"
