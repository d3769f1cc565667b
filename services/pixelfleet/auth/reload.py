"""Reads the users again while a service runs, so that a changed password needs no restart."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from pixelfleet.auth.htpasswd import User, Users, read_users
from pixelfleet.auth.settings import AuthSettings
from pixelfleet.service.errors import UsageError

log = structlog.get_logger(__name__)

RELOAD_SECONDS: Final = 5.0
"""Time between two reads of --users-file."""


def users_of(settings: AuthSettings) -> dict[str, User]:
    """Return the users of --users and --users-file; raise UsageError for an unreadable file or an invalid line."""
    users: dict[str, User] = {}
    for option, lines in settings.user_lines():
        try:
            users |= read_users(lines, settings.role_of_users)
        except ValueError as error:
            raise UsageError(f"{option}: {error}") from None
    return users


async def follow(users: Users, read: Callable[[], dict[str, User]], seconds: float = RELOAD_SECONDS) -> None:
    """Replace the users whenever `read` returns other ones; never returns.

    While `read` raises UsageError, the last valid users stay. The error is logged once.
    """
    fault = ""
    while True:
        await asyncio.sleep(seconds)
        try:
            changed = users.replace(await asyncio.to_thread(read))
        except UsageError as error:
            if str(error) != fault:
                log.warning("the users cannot be read, so the previous ones stay", why=str(error))
            fault = str(error)
            continue
        fault = ""
        if changed:
            log.info("the users have changed", users=len(users))
