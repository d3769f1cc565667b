"""Reports to a matchmaker of the old kind: JSON objects over TCP, one after the other, with nothing between them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import structlog

from pixelfleet.net.addresses import address_of
from pixelfleet.protocol.messages import Message, dump
from signalserver.core.roster import Role
from signalserver.hub import Hub
from signalserver.metrics import Metrics

log = structlog.get_logger(__name__)

RECONNECT_SECONDS: Final = 5.0
PING_SECONDS: Final = 30.0
DIAL_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Reported:
    """What the matchmaker knows of this server."""

    ready: bool
    players: int


def changes(before: Reported, now: Reported) -> list[Message]:
    """Return the messages that bring a matchmaker from one state to another."""
    messages: list[Message] = []
    if before.ready is not now.ready:
        messages.append({"type": "streamerConnected" if now.ready else "streamerDisconnected"})
    kind = "clientConnected" if now.players > before.players else "clientDisconnected"
    messages.extend({"type": kind} for _ in range(abs(now.players - before.players)))
    return messages


class MatchmakerLink:
    """Keeps one connection to a matchmaker and tells it what changes."""

    def __init__(
        self, hub: Hub, unready: Callable[[], str | None], metrics: Metrics, matchmaker: str, url: str
    ) -> None:
        """Take the matchmaker's `host:port`, and the URL at which players are dialled here.

        `unready` says why no player should be sent here.
        """
        self._hub = hub
        self._unready = unready
        self._metrics = metrics
        self._host, self._port = address_of(matchmaker)
        self._own = urlsplit(url)
        self._changed = hub.watch()

    def connect_message(self, state: Reported) -> Message:
        """Return the message that begins every connection."""
        secure = self._own.scheme == "wss"
        return {
            "type": "connect",
            "address": self._own.hostname or "127.0.0.1",
            "port": self._own.port or (443 if secure else 80),
            "https": secure,
            "ready": state.ready,
            "playerConnected": state.players > 0,
        }

    async def run(self) -> None:
        """Report until cancelled, over as many connections as it takes."""
        while True:
            try:
                async with asyncio.timeout(DIAL_SECONDS):
                    reader, writer = await asyncio.open_connection(self._host, self._port)
            except (OSError, TimeoutError) as error:
                log.warning("matchmaker is out of reach", host=self._host, port=self._port, why=str(error))
            else:
                log.info("reports to the matchmaker", host=self._host, port=self._port)
                self._metrics.matchmaker_open.set(1)
                try:
                    await self._report(reader, writer)
                except* OSError as errors:
                    log.warning("matchmaker link lost", why=str(errors.exceptions[0]))
                finally:
                    self._metrics.matchmaker_open.set(0)
                    writer.close()
            await asyncio.sleep(RECONNECT_SECONDS)

    def _state(self) -> Reported:
        return Reported(self._unready() is None, self._hub.count(Role.PLAYER))

    async def _report(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tell of every change until the connection ends; raise OSErrors in a group then."""
        told = self._state()
        writer.write(dump(self.connect_message(told)))
        if told.players > 1:
            # `connect` can only say that there is a player; the others are told one by one.
            told = Reported(told.ready, 1)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_changes(writer, told))
            group.create_task(_ping(writer))
            await _until_closed(reader)
            raise ConnectionResetError("closed by the matchmaker")

    async def _tell_changes(self, writer: asyncio.StreamWriter, told: Reported) -> None:
        while True:
            self._changed.clear()
            now = self._state()
            for message in changes(told, now):
                writer.write(dump(message))
            told = now
            await writer.drain()
            await self._changed.wait()


async def _until_closed(reader: asyncio.StreamReader) -> None:
    """Nothing is ever sent to us; what comes all the same is read and forgotten."""
    while await reader.read(4096):
        pass


async def _ping(writer: asyncio.StreamWriter) -> None:
    while True:
        await asyncio.sleep(PING_SECONDS)
        writer.write(dump({"type": "ping"}))
        await writer.drain()
