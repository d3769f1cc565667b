"""Argument parser of the commands that run no service, and secrets from options, files and the environment."""

import argparse
import os
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, Final, NoReturn

from pixelfleet.service.errors import UsageError
from pixelfleet.service.help import OPTION_WIDTH, terminal_width
from pixelfleet.service.secret_files import read_secret
from pixelfleet.service.spelling import closest
from pixelfleet.service.values import check_path

EXIT_INTERRUPTED: Final = 130
"""The exit code of a command that SIGINT ended, as shells have it."""

_ECHOED: Final = re.compile(r"(invalid \w+ value): .*")
"""The value of an option in an error of argparse, which may be a secret."""


class _Formatter(argparse.HelpFormatter):
    """Formats help in the layout of the services."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=OPTION_WIDTH + 2, width=terminal_width())

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """Begin the usage line with a capital letter."""
        super().add_usage(usage, actions, groups, "Usage: " if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """A parser that raises a one-line UsageError, which does not repeat the value of an unknown option."""

    def __init__(self, **keywords: Any) -> None:
        """Accept the arguments of ArgumentParser."""
        super().__init__(**{"formatter_class": _Formatter, **keywords, "add_help": False})
        self._optionals.title = "Options"
        self._positionals.title = "Arguments"
        if keywords.get("add_help", True):
            self.add_argument("-h", "--help", action="help", help="The command prints this help and ends.")

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Return the parsed arguments; raise UsageError when they are invalid."""
        self._check_options(arguments)
        found, surplus = self.parse_known_args(arguments)
        if surplus:
            self.error("there are more arguments than the command accepts")
        return found

    def _check_options(self, arguments: Sequence[str]) -> None:
        """Refuse unknown options first: argparse would treat their values as arguments and repeat them in errors."""
        known = list(self._names())
        options = [each.partition("=")[0] for each in takewhile(lambda each: each != "--", arguments)]
        unknown = [
            option.splitlines()[0]
            for option in options
            if option.startswith("--") and not any(name.startswith(option) for name in known)
        ]
        if unknown:
            meant = [name for name in (closest(each, known) for each in unknown) if name]
            suggestion = f" (did you mean {', '.join(meant)}?)" if meant else ""
            self.error(f"unknown option {', '.join(unknown)}{suggestion}")

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        text = _ECHOED.sub(r"\1", " ".join(message.split()))
        raise UsageError(f"{text}; see `{self.prog} --help`")

    def _names(self) -> Iterator[str]:
        """Yield the options of this parser and of its subcommands."""
        for action in self._actions:
            yield from (name for name in action.option_strings if name.startswith("--"))
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the class has no public name
                for parser in action.choices.values():
                    yield from parser._names()  # noqa: SLF001 - the same class


def file_path(text: str) -> Path:
    """Return the path of an argument; raise ArgumentTypeError for a text that is none."""
    try:
        return Path(check_path(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def secret(option: str, value: str | None, path: Path | None, variable: str) -> str:
    """Return a secret from an option or its file, else from a variable or the file in `…_FILE`, else empty.

    Raises UsageError when a source has both the secret and its file, and for an unreadable or invalid file.
    """
    if value is not None and path is not None:
        raise UsageError(f"{option} and {option}-file: give only one of them")
    if path is not None:
        return read_secret(f"{option}-file", path)
    if value is not None:
        return value
    file_variable = f"{variable}_FILE"
    value, file = os.environ.get(variable, ""), os.environ.get(file_variable, "")
    if value and file:
        raise UsageError(f"{variable} and {file_variable}: set only one of them")
    return read_secret(file_variable, Path(file)) if file else value
