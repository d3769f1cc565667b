"""Reads the options of a command line for a settings class; names a mistake without importing the application."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel

from pixelfleet.service.catalogue import Form, Setting, catalogue, core_type, option_of
from pixelfleet.service.errors import UsageError, tell
from pixelfleet.service.spelling import closest

SWITCHED: Final = {"true": True, "false": False}
LITERALS: Final = {**SWITCHED, "null": None}
MAX_SHOWN: Final = 60
"""Characters of an unknown option that an error repeats."""


class HelpRequested(Exception):  # noqa: N818 - not an error
    """The options ask for help."""


def parse_options(cls: type[BaseModel], arguments: Sequence[str]) -> dict[str, Any]:
    """Return the values that options give to settings, by name, and by the name of a secret's file.

    A list or a table that is given several times is put together; of any other setting the last value holds.
    Raises UsageError for what is no option and for a missing value, and HelpRequested for `--help`.
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
            tell(f"{option}: is not used by this command")
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
            f"an argument is no option, nor an option's value; see `pixelfleet {getattr(cls, 'command', '')} --help`"
        )
    return values


def parse_list(text: str) -> list[Any]:
    """Return the parts of a list: of a JSON array, or of text with commas between."""
    if text.lstrip().startswith("["):
        try:
            parts = json.loads(text)
        except (ValueError, RecursionError):
            raise UsageError("must be a JSON array, or values with commas between") from None
        assert isinstance(parts, list)
        return parts
    return [part for part in map(str.strip, text.split(",")) if part]


def parse_table(text: str, kind: Any = str) -> dict[str, Any]:
    """Return the pairs of a table: of a JSON object, or of `KEY=VALUE` with commas between.

    Values are text; in a table of any values `true`, `false` and `null` are what they are in JSON.
    """
    if text.lstrip().startswith("{"):
        try:
            table = json.loads(text)
        except (ValueError, RecursionError):
            raise UsageError("must be a JSON object, or KEY=VALUE with commas between") from None
        assert isinstance(table, dict)
        return table
    pairs = [part.partition("=") for part in map(str.strip, text.split(",")) if part]
    if not all(key and equals for key, equals, _ in pairs):
        raise UsageError("must be a JSON object, or KEY=VALUE with commas between")
    return {key: LITERALS.get(value, value) if kind is Any else value for key, _, value in pairs}


def parsed(setting: Setting, text: str) -> Any:
    """Return the value that a setting's text means; raise UsageError that names the option."""
    try:
        if setting.form is Form.LIST:
            return parse_list(text)
        if setting.form is Form.TABLE:
            return parse_table(text, get_args(core_type(setting.field.annotation))[1])
    except UsageError as error:
        raise UsageError(f"{setting.option}: {error}") from None
    return text


def named_config(arguments: Sequence[str]) -> str | None:
    """Return the file that `--config` names last."""
    named = None
    for place, argument in enumerate(arguments):
        if argument.startswith("--config="):
            named = argument.partition("=")[2]
        elif argument == "--config" and place + 1 < len(arguments):
            named = arguments[place + 1]
    return named


def _known(cls: type[BaseModel]) -> dict[str, tuple[str, Setting | None, bool]]:
    """Return each option with the name it sets, its setting (None when it is not used), and whether it negates."""
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
    """Take the value behind an option: a switch has `true`, `false` or none; any other value begins without `--`."""
    is_switch = setting is not None and setting.form is Form.SWITCH
    if not rest or rest[0].startswith("--") or (is_switch and rest[0] not in SWITCHED):
        return None
    return rest.pop(0)


def _switched(option: str, text: str | None) -> bool:
    if text is None:
        return True
    if text not in SWITCHED:
        raise UsageError(f"{option}: takes no value but true or false")
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
    """Return what is wrong with options that there are not, with the option that was meant when one is near."""
    named = list(dict.fromkeys(options))
    meant = list(dict.fromkeys(filter(None, (closest(option, known) for option in named))))
    suggestion = f" (did you mean {', '.join(meant)}?)" if meant else ""
    return f"unknown option {', '.join(named)}{suggestion}"
