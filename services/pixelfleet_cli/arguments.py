"""Arguments of the commands that run no service: the parser, and the secrets that it takes from files."""

import argparse
import os
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, NoReturn

from pixelfleet.service.errors import UsageError
from pixelfleet.service.help import OPTION_WIDTH, terminal_width
from pixelfleet.service.secret_files import read_secret
from pixelfleet.service.spelling import closest


class _Formatter(argparse.HelpFormatter):
    """Lays help out as that of the services is."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=OPTION_WIDTH + 2, width=terminal_width())

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """Begin with a capital."""
        super().add_usage(usage, actions, groups, "Usage: " if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are a UsageError of one line. It repeats no value of an option that it does not know."""

    def __init__(self, **keywords: Any) -> None:
        """Take what an ArgumentParser takes."""
        super().__init__(**{"formatter_class": _Formatter, **keywords, "add_help": False})
        self._optionals.title = "Options"
        self._positionals.title = "Arguments"
        if keywords.get("add_help", True):
            self.add_argument("-h", "--help", action="help", help="The command prints this help and ends.")

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Return the arguments; raise UsageError for a mistake in them."""
        self._check_options(arguments)
        found, surplus = self.parse_known_args(arguments)
        if surplus:
            self.error("there are more arguments than the command takes")
        return found

    def _check_options(self, arguments: Sequence[str]) -> None:
        """Refuse unknown options first: argparse would take their values for other arguments, and repeat them."""
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
        raise UsageError(f"{' '.join(message.split())}; see `{self.prog} --help`")

    def _names(self) -> Iterator[str]:
        """Go through the options of this parser and of its subcommands."""
        for action in self._actions:
            yield from (name for name in action.option_strings if name.startswith("--"))
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - it has no public name
                for parser in action.choices.values():
                    yield from parser._names()  # noqa: SLF001 - of the same class


def secret(option: str, value: str | None, path: Path | None, variable: str) -> str:
    """Return a secret from an option or its file, else from a variable or the file that `…_FILE` names; or empty.

    Raises UsageError where a secret and its file are both given, and for a file that cannot be used.
    """
    if value is not None and path is not None:
        raise UsageError(f"{option} and {option}-file: give one of the two")
    if path is not None:
        return read_secret(f"{option}-file", path)
    if value is not None:
        return value
    file_variable = f"{variable}_FILE"
    value, named = os.environ.get(variable, ""), os.environ.get(file_variable, "")
    if value and named:
        raise UsageError(f"{variable} and {file_variable}: set one of the two")
    return read_secret(file_variable, Path(named)) if named else value
