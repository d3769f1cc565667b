"""The ways in which a signalling server replaces the application: the interface that all of them have."""

from typing import Protocol


class EndError(Exception):
    """The application could not be ended; the text gives the reason."""


class Means(Protocol):
    """Starts and ends the application, or has somebody else do so."""

    async def start(self) -> None:
        """Start the application if this is the server's task."""

    async def connected(self) -> None:
        """Take notice that a streamer of the present process is connected."""

    async def crashed(self) -> None:
        """Return when the present process has ended by itself."""

    async def end(self) -> None:
        """Return when the present process and its children have ended; raise EndError if they cannot be ended."""

    async def close(self) -> None:
        """End the application with the server, if the server has started it."""
