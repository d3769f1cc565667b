"""All stock servers that are linked to this replica, and what the fleet store is told of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

import structlog

from matchmaker.legacy.connection import CHECK_SECONDS, LegacyConnection
from matchmaker.legacy.server import LegacyMessageError, LegacyServer, connected
from matchmaker.metrics import Metrics
from matchmaker.settings import Settings
from pixelfleet.fleet.model import ServerReport
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.net.listen import listening_socket
from pixelfleet.service.deadlines import Deadlines

log = structlog.get_logger(__name__)

INCREASE_SECONDS: Final = 0.25
"""How long it may take until a further player is told of. One that came through a matchmaker is known by its lease
already, so there is nothing to hurry for, and one that is gone again by then need not be told at all."""

RETRY_SECONDS: Final = 1.0
GRACE_SECONDS: Final = 15.0
"""How long a server whose link broke is remembered; it reconnects every 5 s."""


@dataclass(slots=True, eq=False)
class Registration:
    """A server and the link that speaks for it."""

    server: LegacyServer
    connection: LegacyConnection | None
    fence: int = 0
    sequence: int = 0
    headers: tuple[bool, int] | None = None
    """What the store knows: whether it is ready, and its players."""
    forget: asyncio.TimerHandle | None = None

    @property
    def state(self) -> tuple[bool, int]:
        """What the store should know."""
        return self.server.ready and self.connection is not None, self.server.players


class LegacyServers:
    """Takes links, keeps the state of their servers and reports it."""

    def __init__(self, store: FleetStore, replica_id: str, settings: Settings, metrics: Metrics) -> None:
        self._store = store
        self._replica_id = replica_id
        self._settings = settings
        self._metrics = metrics
        self._connections: dict[LegacyConnection, Registration | None] = {}
        """Every connection, and its server once it has introduced itself."""
        self._registrations = 0
        self._known: dict[str, Registration] = {}
        self._changed: dict[str, Registration] = {}
        self._gone: dict[str, Registration] = {}
        self._increases: Deadlines[Registration] = Deadlines(INCREASE_SECONDS, self._report_increase)
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        return self._registrations

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[int]:
        """Take links; yield the port."""
        socket = listening_socket(self._settings.legacy_host, port, "--legacy-port")
        server = await self._loop.create_server(lambda: LegacyConnection(self), sock=socket, backlog=1024)
        try:
            yield int(socket.getsockname()[1])
        finally:
            server.close()
            self._increases.stop()
            for connection in list(self._connections):
                connection.close()

    async def run(self) -> None:
        """Report what changes until cancelled."""
        while True:
            await self._wake.wait()
            try:
                await self.report_changes()
            except StoreUnavailableError:
                self._wake.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def report_changes(self) -> None:
        """Tell the store what it does not know yet; raise StoreUnavailableError."""
        self._wake.clear()
        changed, self._changed = self._changed, {}
        gone, self._gone = self._gone, {}
        try:
            await asyncio.gather(
                *(self._report(registration) for registration in changed.values()),
                *(self._report_gone(server_id, registration) for server_id, registration in gone.items()),
            )
        except StoreUnavailableError:
            self._changed = changed | self._changed
            self._gone = gone | self._gone  # of one that has come back since, the newer link speaks
            raise

    async def watch(self) -> None:
        """Close links that have been silent for too long, until cancelled: half-open ones say nothing of their end."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self.close_silent(self._loop.time())

    def close_silent(self, now: float) -> None:
        """Close the links that have said nothing for too long; `now` is the loop's clock."""
        limit = now - self._settings.legacy_seconds
        for connection in [connection for connection in self._connections if connection.received < limit]:
            log.warning("stock server is silent", peer=connection.peer, seconds=self._settings.legacy_seconds)
            connection.close()

    def report_all(self) -> None:
        """Say everything again: the store has forgotten it."""
        self._changed |= self._known
        self._wake.set()

    # -- links --------------------------------------------------------------------------------------

    def opened(self, connection: LegacyConnection) -> None:
        """Take a connection, unless it comes from elsewhere or is one too many."""
        if not self._allowed(connection.peer) or len(self._connections) >= self._settings.legacy_servers:
            log.warning("link refused", peer=connection.peer, connections=len(self._connections))
            connection.close()
        else:
            self._connections[connection] = None

    def received(self, connection: LegacyConnection, message: dict[str, Any]) -> None:
        """Take what a server says."""
        if connection not in self._connections:
            return
        registration = self._connections[connection]
        if message.get("type") == "connect":
            self._connected(
                connection, connected(message, connection.peer, trust_address=self._settings.legacy_trust_address)
            )
        elif registration is None:
            raise LegacyMessageError("nothing is known of this server until it says `connect`")
        elif registration.server.apply(message) and registration.connection is connection:
            self._schedule_report(registration)

    def ended(self, connection: LegacyConnection) -> None:
        """A connection is gone."""
        registration = self._connections.pop(connection, None)
        if registration is None:
            return
        self._count(-1)
        if registration.connection is connection:
            self._lost(registration)

    def _allowed(self, peer: str) -> bool:
        networks = self._settings.legacy_allow
        if not networks:
            return True
        try:
            address = ip_address(peer)
        except ValueError:  # it was gone before it could be asked where it comes from
            return False
        return any(address in network for network in networks)

    def _connected(self, connection: LegacyConnection, server: LegacyServer) -> None:
        before = self._known.get(server.server_id)
        if before is not None:
            if before.forget is not None:
                before.forget.cancel()
            if before.connection is not None and before.connection is not connection:
                before.connection.close()
        other = self._connections[connection]
        if other is None:
            self._count(1)
        elif other.server.server_id != server.server_id:
            self._lost(other)
        registration = Registration(server, connection)
        self._connections[connection] = self._known[server.server_id] = registration
        self._gone.pop(server.server_id, None)
        log.info("stock server connected", server=server.server_id, ready=server.ready, players=server.players)
        self._schedule_report(registration)

    def _count(self, change: int) -> None:
        self._registrations += change
        self._metrics.connections.set(self._registrations)

    def _lost(self, registration: Registration) -> None:
        """Send nobody to a server without a link, and forget it if it does not come back."""
        registration.connection = None
        if self._known.get(registration.server.server_id) is registration:
            log.info("stock server lost", server=registration.server.server_id)
            registration.forget = self._loop.call_later(GRACE_SECONDS, self._forget, registration)
            self._schedule_report(registration)

    def _forget(self, registration: Registration) -> None:
        server_id = registration.server.server_id
        if self._known.get(server_id) is registration:
            del self._known[server_id]
            self._changed.pop(server_id, None)
            self._gone[server_id] = registration
            self._wake.set()

    # -- the store ----------------------------------------------------------------------------------

    def _schedule_report(self, registration: Registration) -> None:
        """Have the store told what has changed: at once, unless it is only that there are more players."""
        if (
            registration.headers is not None
            and registration.headers[0] == registration.state[0]
            and registration.headers[1] <= registration.state[1]
        ):
            if registration not in self._increases:
                self._increases.add(registration)
            return
        self._report_now(registration)

    def _report_increase(self, registration: Registration) -> None:
        if (
            registration.headers != registration.state
            and self._known.get(registration.server.server_id) is registration
        ):
            self._report_now(registration)

    def _report_now(self, registration: Registration) -> None:
        self._changed[registration.server.server_id] = registration
        self._wake.set()

    async def _report(self, registration: Registration) -> None:
        registration.sequence += 1
        registration.headers = registration.state
        streamer = registration.server.report(
            app=self._settings.app,
            dialect=self._settings.legacy_dialect,
            registration=registration.connection is not None,
        )
        answer = await self._store.report(
            ServerReport(
                server_id=registration.server.server_id,
                sequence=registration.sequence,
                streamers=(streamer,),
                owner=self._replica_id,
                fence=registration.fence,
            )
        )
        if answer.taken:
            registration.fence = answer.fence
        elif registration.connection is not None and registration.fence < answer.fence:
            log.info("stock server speaks over another link", server=registration.server.server_id)
            registration.connection.close()

    async def _report_gone(self, server_id: str, registration: Registration) -> None:
        registration.sequence += 1
        await self._store.report(
            ServerReport(
                server_id=server_id,
                sequence=registration.sequence,
                owner=self._replica_id,
                fence=max(1, registration.fence),
            )
        )
