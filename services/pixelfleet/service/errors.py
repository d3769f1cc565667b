"""Errors and warnings for the user at the terminal."""

import sys
from contextlib import suppress


class UsageError(Exception):
    """The command cannot run with these options, this environment or this configuration.

    The message is one line with the problem and the remedy. The command line prints it on stderr, without a traceback,
    and exits with 2.
    """


def print_error(text: str) -> None:
    """Print a line on stderr, if it can be written."""
    with suppress(OSError, ValueError):
        if sys.stderr is not None:  # `print` would write to stdout
            print(f"pixelfleet: {text}", file=sys.stderr)  # noqa: T201 - for the terminal


def warn(warning: str) -> None:
    """Print a warning about options on stderr: settings are read before the log is configured."""
    print_error(f"warning: {warning}")
