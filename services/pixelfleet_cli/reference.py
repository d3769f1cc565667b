"""`python -m pixelfleet_cli.reference`: prints docs/reference/configuration.md, every setting of every command."""

import importlib
import sys
from collections.abc import Iterable, Iterator
from enum import Enum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pixelfleet.fleet.settings import FleetSettings
from pixelfleet.net.peer_settings import PeerSettings
from pixelfleet.service.settings import ServiceSettings
from pixelfleet_cli.cli import WITH_SETTINGS

Settings = type[ServiceSettings]

SHARED: Final[tuple[tuple[str, Settings], ...]] = (
    ("Of every command", ServiceSettings),
    ("Of every service that holds peers' websockets", PeerSettings),
    ("Of every service that uses the fleet store", FleetSettings),
)
"""Classes that others inherit from, the most general first: their settings are told of once."""

INTRODUCTION: Final = """\
<!-- Made from the settings classes by `make generated`. -->
# Configuration

Every setting has one name everywhere. `player_port` of the signalserver is

| where | written |
|---|---|
| an option | `--player-port 4000` |
| an environment variable | `PIXELFLEET_SIGNALSERVER_PLAYER_PORT=4000` |
| a key of the JSON file that `--config` names | `"player_port": 4000` |

Options win over the environment, and that over the file. An option that takes several values is given several times or
as `a,b`, and the environment has `a,b`. A switch is turned off with `--no-` before its name. An unknown option, an
unknown key or a bad value ends the command with exit code 2 and one line that names it. The options of cirrus and
Wilbur are taken as well: [migration.md](../how-to/migration.md).
"""


def reference() -> str:
    """Return the whole page, in Markdown."""
    return "\n".join([INTRODUCTION, *_shared(), *_commands()])


def _shared() -> Iterator[str]:
    users = {name: _settings_of(name) for name in WITH_SETTINGS}
    for title, cls in SHARED:
        yield f"## {title}\n"
        if cls is not ServiceSettings:
            names = ", ".join(f"`{name}`" for name, user in users.items() if issubclass(user, cls))
            yield f"That is {names}. The environment variable begins with the command's own prefix, below.\n"
        yield from _table(_own_fields(cls))


def _commands() -> Iterator[str]:
    shared = {cls for _, cls in SHARED}
    for name, command in WITH_SETTINGS.items():
        cls = _settings_of(name)
        yield f"## {name}\n"
        yield f"{command.summary[0].upper()}{command.summary[1:]}."
        parents = [title for title, parent in SHARED if issubclass(cls, parent)]
        yield f"Environment: `{cls.model_config['env_prefix']}…`. Beside these it has the settings"
        yield f"{_listed(parents)}.\n"
        fields = {
            field: info
            for owner in reversed(cls.__mro__)
            if issubclass(owner, ServiceSettings) and owner not in shared
            for field, info in _own_fields(owner).items()
        }
        yield from _table(fields)


def _settings_of(command: str) -> Settings:
    settings: Settings = importlib.import_module(f"{WITH_SETTINGS[command].package}.settings").Settings
    return settings


def _own_fields(cls: Settings) -> dict[str, FieldInfo]:
    """Return the fields that a class itself declares."""
    return {name: info for name, info in cls.model_fields.items() if name in cls.__annotations__}


def _table(fields: dict[str, FieldInfo]) -> Iterator[str]:
    yield "| option | values | default | |"
    yield "|---|---|---|---|"
    for name, info in fields.items():
        cells = (f"`--{name.replace('_', '-')}`", _values(info), _default(info), info.description or "")
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _values(info: FieldInfo) -> str:
    """Return what a setting can be."""
    kinds = [kind for kind in get_args(info.annotation) or (info.annotation,) if kind is not type(None)]
    if get_origin(info.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(info.annotation))
    if get_origin(info.annotation) is list:
        return f"list of {_word(kinds[0])}"
    if get_origin(info.annotation) is dict:
        return "JSON object"
    return f"{_word(kinds[0])}{_bounds(info.metadata)}"


def _word(kind: Any) -> str:
    """Return a type in a word, for people."""
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    kind = get_args(kind)[0] if get_args(kind) else kind
    words = {int: "whole number", float: "number", bool: "switch", SecretStr: "secret", Path: "path", str: "text"}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{each.value}`" for each in kind)
    if kind in (IPv4Network, IPv4Address):
        return "networks, IPv4 or IPv6" if kind is IPv4Network else "addresses, IPv4 or IPv6"
    return words.get(kind, getattr(kind, "__name__", str(kind)))


def _bounds(metadata: Iterable[object]) -> str:
    """Return what a number, or the length of a text, may be."""
    said = []
    for bound in metadata:
        match bound:
            case Ge(ge=least):
                said.append(f"from {_number(least)}")
            case Gt(gt=least):
                said.append(f"above {_number(least)}")
            case Le(le=most):
                said.append(f"to {_number(most)}")
            case Lt(lt=most):
                said.append(f"below {_number(most)}")
            case MinLen(min_length=least):
                said.extend([f"of {least} characters or more"] * (least > 1))
            case MaxLen(max_length=most):
                said.append(f"of {most} characters at most")
    return f" {' '.join(said)}" if said else ""


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _default(info: FieldInfo) -> str:
    value = info.default
    if info.default_factory is not None or value is PydanticUndefined:
        return "made up" if info.annotation is str else ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Path) and value.is_absolute():
        return "the one that is installed"
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, list):
        return f"`{','.join(map(str, value))}`"
    return f"`{_number(value)}`"


def _listed(titles: list[str]) -> str:
    return ", and ".join(title[0].lower() + title[1:] for title in titles)


if __name__ == "__main__":
    sys.stdout.write(reference())
