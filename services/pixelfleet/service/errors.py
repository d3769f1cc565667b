"""Errors and warnings for the user at the terminal."""

import sys


class UsageError(Exception):
    """The command cannot run with these options, this environment or this configuration.

    The message is one line with the problem and the remedy. The command line prints it on stderr, without a traceback,
    and exits with 2.
    """


def warn(warning: str) -> None:
    """Print a warning about options on stderr: settings are read before the log is configured."""
    print(f"pixelfleet: warning: {warning}", file=sys.stderr)  # noqa: T201 - for the terminal
