"""What the store needs of a Redis: to run its scripts, to read, and to wait for announcements."""

from typing import Any, Protocol

Word = str | bytes | int | float
"""A word of a command."""


class ScriptLink(Protocol):
    """Runs the scripts of `lua/`. Each method raises StoreUnavailableError when that is not possible now."""

    @property
    def connections(self) -> int:
        """How many connections were made: with each, answers to earlier calls may have been lost."""

    async def run(self, script: str, *words: Word) -> Any:
        """Run a script atomically; return its reply: int, bytes, None or a list of these."""

    async def read(self, *commands: tuple[Word, ...]) -> list[Any]:
        """Run plain commands that only read, one after the other but not atomically; return their replies."""


class AnnouncementListener(Protocol):
    """Waits for announcements that something was matched."""

    async def wait(self, replica_id: str, timeout: float) -> bool:  # noqa: ASYNC109 - nothing new is not an error
        """Wait for an announcement, at most `timeout` seconds; return False when the time is over."""
