"""The interfaces between the store and Redis, or the commands in memory."""

from typing import Any, Protocol

Word = str | bytes | int | float
"""The name or an argument of a command."""


class ScriptRunner(Protocol):
    """Runs the scripts of `lua/`. Each method raises StoreUnavailableError when the store cannot be reached."""

    @property
    def connections(self) -> int:
        """The number of connections made so far. With each new one, replies to earlier calls may have been lost."""

    async def run(self, script: str, *words: Word) -> Any:
        """Run a script atomically; return its reply: int, bytes, None or a list of these."""

    async def read(self, *commands: tuple[Word, ...]) -> list[Any]:
        """Run read-only commands in order, not atomically; return their replies."""


class AnnouncementListener(Protocol):
    """Waits for announcements of matches."""

    async def wait(self, replica_id: str, timeout: float) -> bool:  # noqa: ASYNC109 - nothing new is not an error
        """Wait for an announcement, at most `timeout` seconds; return False after that."""
