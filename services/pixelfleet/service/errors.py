"""Errors and warnings that are meant for the person at the terminal."""

import sys


class UsageError(Exception):
    """The command cannot run as it was asked to.

    The message is one line that names what is wrong and what to do about it. The command line prints it on
    stderr and exits with 2, with no traceback.
    """


def tell(warning: str) -> None:
    """Print a warning about how a command was called: settings are read before there is a log."""
    print(f"pixelfleet: warning: {warning}", file=sys.stderr)  # noqa: T201 - for the terminal
