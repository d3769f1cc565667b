"""A legacy server together with its connection and its reports."""

import asyncio
from dataclasses import dataclass

from matchmaker.legacy.connection import LegacyConnection
from matchmaker.legacy.server import LegacyServer


@dataclass(slots=True, eq=False)
class Registration:
    """A legacy server and its present connection."""

    server: LegacyServer
    connection: LegacyConnection | None
    fence: int = 0
    sequence: int = 0
    reported: tuple[bool, int] | None = None
    """The last report to the store: whether the server is ready, and its players."""
    removal: asyncio.TimerHandle | None = None
    identity_changes: int = 0
    """How often its connection has connected as another server."""

    @property
    def state(self) -> tuple[bool, int]:
        """The present state, to be reported: whether the server is ready, and its players."""
        return self.server.ready and self.connection is not None, self.server.players
