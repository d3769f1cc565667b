"""Reports to a legacy matchmaker: JSON objects over TCP without separators."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from pixelfleet.net.addresses import parse_address, url_address
from pixelfleet.protocol.messages import Message, dump
from signalserver.core.roster import Role
from signalserver.hub import Hub
from signalserver.metrics import Metrics

log = structlog.get_logger(__name__)

RECONNECT_SECONDS: Final = 5.0
PING_SECONDS: Final = 30.0
DIAL_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class ServerState:
    """The state of this server that the matchmaker protocol reports."""

    ready: bool
    players: int


def changes(before: ServerState, now: ServerState) -> list[Message]:
    """Return the messages that report the change from one state to another."""
    messages: list[Message] = []
    if before.ready is not now.ready:
        messages.append({"type": "streamerConnected" if now.ready else "streamerDisconnected"})
    kind = "clientConnected" if now.players > before.players else "clientDisconnected"
    messages.extend({"type": kind} for _ in range(abs(now.players - before.players)))
    return messages


class MatchmakerLink:
    """Keeps one connection to a matchmaker and reports changes of the server's state."""

    def __init__(
        self, hub: Hub, unready: Callable[[], str | None], metrics: Metrics, matchmaker: str, url: str
    ) -> None:
        """Take the matchmaker's `host:port`, and the websocket URL of this server for players.

        `unready` returns the reason why the server is not ready for players, or None.
        """
        self._hub = hub
        self._unready = unready
        self._metrics = metrics
        self._host, self._port = parse_address(matchmaker)
        self._own = url
        self._changed = hub.watch()

    def connect_message(self, state: ServerState) -> Message:
        """Return the first message of a connection."""
        host, port = url_address(self._own)
        return {
            "type": "connect",
            "address": host or "127.0.0.1",
            "port": port,
            "https": self._own.startswith("wss:"),
            "ready": state.ready,
            "playerConnected": state.players > 0,
        }

    async def run(self) -> None:
        """Report until cancelled; reconnect whenever the connection ends."""
        while True:
            try:
                async with asyncio.timeout(DIAL_SECONDS):
                    reader, writer = await asyncio.open_connection(self._host, self._port)
            except (OSError, TimeoutError) as error:
                log.warning("matchmaker unreachable", host=self._host, port=self._port, why=str(error))
            else:
                log.info("matchmaker connected", host=self._host, port=self._port)
                self._metrics.matchmaker_open.set(1)
                try:
                    await self._report(reader, writer)
                except* OSError as errors:
                    log.warning("matchmaker disconnected", why=str(errors.exceptions[0]))
                finally:
                    self._metrics.matchmaker_open.set(0)
                    writer.close()
            await asyncio.sleep(RECONNECT_SECONDS)

    def _state(self) -> ServerState:
        return ServerState(self._unready() is None, self._hub.count(Role.PLAYER))

    async def _report(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Report every change until the connection ends; raise an exception group of OSErrors then."""
        reported = self._state()
        writer.write(dump(self.connect_message(reported)))
        if reported.players > 1:
            # `connect` can report one player only; a message follows for each further one.
            reported = ServerState(reported.ready, 1)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report_changes(writer, reported))
            group.create_task(_ping(writer))
            await _until_closed(reader)
            raise ConnectionResetError("closed by the matchmaker")

    async def _report_changes(self, writer: asyncio.StreamWriter, reported: ServerState) -> None:
        while True:
            self._changed.clear()
            now = self._state()
            for message in changes(reported, now):
                writer.write(dump(message))
            reported = now
            await writer.drain()
            await self._changed.wait()


async def _until_closed(reader: asyncio.StreamReader) -> None:
    """Read until the connection ends. The protocol has no messages to the server, so the data is discarded."""
    while await reader.read(4096):
        pass


async def _ping(writer: asyncio.StreamWriter) -> None:
    while True:
        await asyncio.sleep(PING_SECONDS)
        writer.write(dump({"type": "ping"}))
        await writer.drain()
