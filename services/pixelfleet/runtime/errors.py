"""Errors that are meant for the person at the terminal."""


class UsageError(Exception):
    """The command cannot run as it was asked to.

    The message is one line that names what is wrong and what to do about it. The command line prints it on
    stderr and exits with 2, with no traceback.
    """
