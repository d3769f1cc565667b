"""`python -m pixelfleet_cli.reference`: prints docs/reference/configuration.md, with all settings of all commands."""

import importlib
import sys
from collections.abc import Iterable, Iterator
from typing import Final

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen

from pixelfleet.auth.settings import AuthSettings
from pixelfleet.fleet.settings import FleetSettings
from pixelfleet.net.peer_settings import PeerSettings
from pixelfleet.service.catalogue import Form, Setting, by_section, catalogue, metadata_of, plain_number
from pixelfleet.service.help import written
from pixelfleet.service.settings import ServiceSettings
from pixelfleet_cli.cli import WITH_SETTINGS

Settings = type[ServiceSettings]

SHARED: Final[tuple[tuple[str, Settings], ...]] = (
    ("Authentication of players and operators", AuthSettings),
    ("Fleet store", FleetSettings),
    ("Limits of a connection", PeerSettings),
    ("Configuration and log", ServiceSettings),
)
"""Base classes of settings, the most derived first, with the heading of each."""

INTRODUCTION: Final = """\
<!-- Generated from the settings classes by `make generated`. -->
# Configuration

Every setting has one name everywhere. `player_port` of the signalling server is:

| Place | Example |
|---|---|
| an option | `--player-port 4000` |
| an environment variable | `PIXELFLEET_SIGNALSERVER_PLAYER_PORT=4000` |
| a key of the JSON file that `--config` names | `"player_port": 4000` |

Options override the environment, and the environment overrides the file. An unknown option, an unknown key or an
invalid value ends the command with exit code 2 and one line that names it.

- **Lists** (`ORIGIN,...`) are comma-separated values or a repeated option: `--origins a,b` is equivalent to
  `--origins a --origins b`. A JSON array is also accepted.
- **Tables** (`KEY=VALUE,...`) are comma-separated pairs, such as `--labels region=eu,version=2`. A JSON object is also
  accepted, and is required in the file.
- **Switches** have no value: `--serve` turns one on, `--no-serve` turns it off. Their environment variables are
  `true` or `false`.
- **Secrets** have a second name for a file with the value. `session_key` can be in the file that `--session-key-file`,
  `PIXELFLEET_SIGNALSERVER_SESSION_KEY_FILE` or the key `session_key_file` names. Trailing line
  ends are ignored; the limit of the file is 64 KiB. A source with both the secret and its file is refused. Keep
  secrets out of command lines: other users of the machine can read them.

The signalling server and the matchmaker also accept the options of the servers of Unreal Engine:
[migration.md](../how-to/migration.md).
"""


def reference() -> str:
    """Return the page in Markdown."""
    return "\n".join([INTRODUCTION, *_commands(), *_shared()])


def _commands() -> Iterator[str]:
    shared = {name for _, cls in SHARED for name in _own(cls)}
    for name in WITH_SETTINGS:
        cls = _settings_of(name)
        yield f"## {name}\n"
        yield f"{' '.join((cls.__doc__ or '').split())}\n"
        yield f"Environment variables begin with `{cls.model_config['env_prefix']}`. {_see(cls)}\n"
        own = {
            key: setting for key, setting in catalogue(cls).items() if key not in shared or key in cls.__annotations__
        }
        for title, members in by_section(own).items():
            yield f"**{title}**\n"
            yield from _table(members)


def _shared() -> Iterator[str]:
    users = {name: _settings_of(name) for name in WITH_SETTINGS}
    for title, cls in SHARED:
        names = [name for name, user in users.items() if set(_own(cls)) & set(catalogue(user))]
        yield f"## {title}\n"
        yield f"These are settings of {_listed(f'[{name}](#{name})' for name in names)}.\n"
        yield from _table(_own(cls).values())
        for name, setting in _own(cls).items():
            without = [each for each in names if name not in catalogue(users[each])]
            if without:
                yield f"`{setting.option}` has no effect in {_listed(without)}.\n"


def _see(cls: Settings) -> str:
    """Return links to the shared settings of a command."""
    titles = [title for title, parent in SHARED if set(_own(parent)) & set(catalogue(cls))]
    anchors = (f"[{title}](#{title.lower().replace(' ', '-')})" for title in titles)
    return f"See also: {', '.join(anchors)}."


def _own(cls: Settings) -> dict[str, Setting]:
    """Return the settings that a shared class itself declares, without `host`, which each command lists."""
    own = [name for name in cls.__annotations__ if name in cls.model_fields and name != "host"]
    return {name: catalogue(cls)[name] for name in own}


def _settings_of(command: str) -> Settings:
    settings: Settings = importlib.import_module(f"{WITH_SETTINGS[command].package}.settings").Settings
    return settings


def _table(settings: Iterable[Setting]) -> Iterator[str]:
    yield "| Option | Default | Meaning |"
    yield "|---|---|---|"
    for setting in settings:
        default = f"`{setting.default}`" if setting.default else ""
        bounds = _bounds([*setting.field.metadata, *metadata_of(setting.field.annotation)], setting)
        cells = (_option(setting), default, f"{setting.field.description} {bounds}".strip())
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _option(setting: Setting) -> str:
    """Return the option; of a secret the option of its file and its own."""
    if setting.file_name:
        return f"`{written(setting)}`, `{setting.option} {setting.placeholder}`"
    return f"`{written(setting)}`"


def _bounds(metadata: Iterable[object], setting: Setting) -> str:
    """Return the range of a number or of a length as a sentence; empty without one."""
    if setting.placeholder == "PORT":
        return ""
    lower, upper, unit = "", "", " characters" if setting.form is Form.PLAIN else " values"
    for bound in metadata:
        match bound:
            case Ge(ge=value) if value:
                lower = f"from {plain_number(value)}"
            case Gt(gt=value):
                lower = f"above {plain_number(value)}"
            case Le(le=value):
                upper = f"up to {plain_number(value)}"
            case Lt(lt=value):
                upper = f"below {plain_number(value)}"
            case MinLen(min_length=value) if value > 1:
                lower = f"at least {value}{unit}"
            case MaxLen(max_length=value):
                upper = f"at most {value}{unit}"
    limits = " ".join(filter(None, (lower, upper)))
    return f"Range: {limits}." if limits else ""


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


if __name__ == "__main__":
    sys.stdout.write(reference())
