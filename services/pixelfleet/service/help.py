"""The help of a command: its description, then its options in sections, each with a sentence and its default."""

import shutil
import textwrap
from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel

from pixelfleet.service.catalogue import Form, Setting, by_section, catalogue

NARROWEST: Final = 60
WIDEST: Final = 110
INDENT: Final = "  "
OPTION_WIDTH: Final = 30
"""The column width of options; a longer option has its text on the next line."""

NO_BREAK: Final = "\N{NO-BREAK SPACE}"
"""Prevents a line break before a default; printed as a plain space."""

CONFIGURATION: Final = "docs/reference/configuration.md"
MIGRATION: Final = "docs/how-to/migration.md"


def terminal_width() -> int:
    """Return the width of help in columns."""
    return max(NARROWEST, min(shutil.get_terminal_size((80, 24)).columns, WIDEST))


def help_of(cls: type[BaseModel], command: str, width: int) -> str:
    """Return the help of a command with a settings class, wrapped to `width` columns."""
    settings = catalogue(cls)
    lines = [f"Usage: pixelfleet {command} [OPTION]...", ""]
    lines += textwrap.wrap(" ".join((cls.__doc__ or "").split()), width)
    for title, members in by_section(settings).items():
        lines += ["", f"{title}:"]
        for setting in members:
            lines += entry(written(setting), explained(setting), width)
    lines += entry("-h, --help", "The command prints this help and ends.", width)
    for note in _notes(cls, settings):
        lines += ["", *textwrap.wrap(note, width)]
    return "\n".join(lines)


def written(setting: Setting) -> str:
    """Return the option of a setting with its placeholder; of a secret the option of its file."""
    if setting.form is Form.SWITCH:
        return setting.option if setting.field.default is False else f"--[no-]{setting.option[2:]}"
    if setting.file_name:
        return f"{setting.file_option} FILE"
    return f"{setting.option} {setting.placeholder}"


def explained(setting: Setting) -> str:
    """Return the description with the default."""
    text = setting.field.description or ""
    return f"{text} (default:{NO_BREAK}{setting.default})" if setting.default else text


def entry(option: str, text: str, width: int) -> list[str]:
    """Return the lines of one option: its text beside it, or below it when the option is long."""
    margin = " " * (len(INDENT) + OPTION_WIDTH)
    wrapped = textwrap.wrap(text, width - len(margin), break_on_hyphens=False) or [""]
    lines = [line.replace(NO_BREAK, " ") for line in wrapped]
    if len(option) + 2 > OPTION_WIDTH:
        return [f"{INDENT}{option}", *(f"{margin}{line}".rstrip() for line in lines)]
    first = f"{INDENT}{option:<{OPTION_WIDTH}}{lines[0]}"
    return [first.rstrip(), *(f"{margin}{line}" for line in lines[1:])]


def _notes(cls: type[BaseModel], settings: dict[str, Setting]) -> Iterator[str]:
    prefix = cls.model_config.get("env_prefix", "")
    example = next(iter(settings))
    yield (
        f"Each option is also an environment variable ({prefix}{example.upper()} for --{example.replace('_', '-')}) "
        f"and a key of the JSON file that --config names. Options override the environment, and the environment "
        f"overrides the file. Lists take commas or a repeated option. See {CONFIGURATION}."
    )
    if any(setting.file_name for setting in settings.values()):
        yield (
            "Each --NAME-file option reads a secret from a file. The secret itself can also be in the environment, or "
            "in the option --NAME, where other users of the machine can read it."
        )
    if hasattr(cls, "translate_arguments"):
        yield f"The options of the servers of Unreal Engine are accepted too; see {MIGRATION}."
