"""The legacy servers that are connected to this replica, and their reports to the fleet store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any, Final

import structlog

from matchmaker.legacy.connection import CHECK_SECONDS, LegacyConnection
from matchmaker.legacy.registration import Registration
from matchmaker.legacy.server import LegacyMessageError, LegacyServer, server_from_connect
from matchmaker.metrics import Metrics
from matchmaker.settings import Settings
from pixelfleet.fleet.model import ServerReport
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.net.listen import listening_socket
from pixelfleet.service.deadlines import Deadlines

log = structlog.get_logger(__name__)

INCREASE_SECONDS: Final = 0.25
"""Delay of the report that a server has more players. The store already counts the leases of matched players, and a
player that leaves within this time need not be reported."""

RETRY_SECONDS: Final = 1.0
GRACE_SECONDS: Final = 15.0
"""How long a disconnected server is kept; legacy servers reconnect every 5 s."""

MAX_IDENTITY_CHANGES: Final = 10
"""How often one connection may `connect` as another server before it is closed."""

SERVERS_PER_CONNECTION: Final = 2
"""The limit of servers is this multiple of the limit of connections: a disconnected server is kept for a while."""


class LegacyServers:
    """Accepts connections of legacy servers and reports the servers to the store."""

    def __init__(self, store: FleetStore, replica_id: str, settings: Settings, metrics: Metrics) -> None:
        self._store = store
        self._replica_id = replica_id
        self._settings = settings
        self._metrics = metrics
        self._connections: dict[LegacyConnection, Registration | None] = {}
        """Each connection, and its server after `connect`."""
        self._connected = 0
        self._registrations: dict[str, Registration] = {}
        self._changed: dict[str, Registration] = {}
        self._removed: dict[str, Registration] = {}
        self._increases: Deadlines[Registration] = Deadlines(INCREASE_SECONDS, self._report_increase)
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        return self._connected

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[int]:
        """Listen for connections; yield the port."""
        socket = listening_socket(self._settings.legacy_host, port, "--legacy-port", "--legacy-host")
        server = await self._loop.create_server(lambda: LegacyConnection(self), sock=socket, backlog=1024)
        try:
            yield int(socket.getsockname()[1])
        finally:
            server.close()
            self._increases.stop()
            for connection in list(self._connections):
                connection.close()

    async def run(self) -> None:
        """Report changes to the store, until cancelled."""
        while True:
            await self._wake.wait()
            try:
                await self.report_changes()
            except StoreUnavailableError:
                self._wake.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def report_changes(self) -> None:
        """Send pending changes to the store. Raises StoreUnavailableError, and keeps them."""
        self._wake.clear()
        changed, self._changed = self._changed, {}
        removed, self._removed = self._removed, {}
        try:
            await asyncio.gather(
                *(self._report(registration) for registration in changed.values()),
                *(self._report_removal(server_id, registration) for server_id, registration in removed.items()),
            )
        except StoreUnavailableError:
            self._changed = changed | self._changed
            # For a server that has reconnected meanwhile, the store refuses the removal: its fence is lower.
            self._removed = removed | self._removed
            raise

    async def watch(self) -> None:
        """Close silent connections, until cancelled: half-open connections never end otherwise."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self.close_silent(self._loop.time())

    def close_silent(self, now: float) -> None:
        """Close connections without a message for `legacy_seconds`; `now` is on the loop's clock."""
        limit = now - self._settings.legacy_seconds
        for connection in [connection for connection in self._connections if connection.last_received < limit]:
            log.warning("legacy server timed out", peer=connection.peer, seconds=self._settings.legacy_seconds)
            connection.close()

    def report_all(self) -> None:
        """Report all servers again, after a store reset."""
        self._changed |= self._registrations
        self._wake.set()

    # -- connections --------------------------------------------------------------------------------

    def opened(self, connection: LegacyConnection) -> None:
        """Accept a connection, unless its network is not allowed or there are too many."""
        if not self._allowed(connection.peer) or len(self._connections) >= self._settings.legacy_servers:
            log.warning("legacy connection refused", peer=connection.peer, connections=len(self._connections))
            connection.close()
        else:
            self._connections[connection] = None

    def received(self, connection: LegacyConnection, message: dict[str, Any]) -> None:
        """Apply a message of a server. Raises LegacyMessageError."""
        if connection not in self._connections:
            return
        registration = self._connections[connection]
        if message.get("type") == "connect":
            trust_address = self._settings.legacy_trust_address
            self._connect(connection, server_from_connect(message, connection.peer, trust_address=trust_address))
        elif registration is None:
            raise LegacyMessageError("the first message must be `connect`")
        elif registration.server.apply(message) and registration.connection is connection:
            self._schedule_report(registration)

    def ended(self, connection: LegacyConnection) -> None:
        """Remove a connection that has ended."""
        registration = self._connections.pop(connection, None)
        if registration is None:
            return
        self._count(-1)
        if registration.connection is connection:
            self._disconnect(registration)

    def _allowed(self, peer: str) -> bool:
        networks = self._settings.legacy_allow
        if not networks:
            return True
        try:
            address = ip_address(peer)
        except ValueError:  # the connection ended before its address was read
            return False
        return any(address in network for network in networks)

    def _connect(self, connection: LegacyConnection, server: LegacyServer) -> None:
        previous = self._registrations.get(server.server_id)
        other = self._connections[connection]
        identity_changes = 0 if other is None else other.identity_changes
        if other is not None and other.server.server_id != server.server_id:
            identity_changes += 1
            if identity_changes > MAX_IDENTITY_CHANGES:
                log.warning("legacy connection closed: too many identities", peer=connection.peer)
                connection.close()
                return
        if previous is None and len(self._registrations) >= SERVERS_PER_CONNECTION * self._settings.legacy_servers:
            raise LegacyMessageError("there are too many servers")
        if previous is not None:
            if previous.removal is not None:
                previous.removal.cancel()
            if previous.connection is not None and previous.connection is not connection:
                previous.connection.close()
        if other is None:
            self._count(1)
        elif other.server.server_id != server.server_id:
            self._disconnect(other)
        registration = Registration(server, connection, identity_changes=identity_changes)
        self._connections[connection] = self._registrations[server.server_id] = registration
        self._removed.pop(server.server_id, None)
        log.info("legacy server connected", server=server.server_id, ready=server.ready, players=server.players)
        self._schedule_report(registration)

    def _count(self, change: int) -> None:
        self._connected += change
        self._metrics.connections.set(self._connected)

    def _disconnect(self, registration: Registration) -> None:
        """Report a server as not ready, and remove it unless it reconnects within GRACE_SECONDS."""
        registration.connection = None
        if self._registrations.get(registration.server.server_id) is registration:
            log.info("legacy server disconnected", server=registration.server.server_id)
            registration.removal = self._loop.call_later(GRACE_SECONDS, self._remove, registration)
            self._schedule_report(registration)

    def _remove(self, registration: Registration) -> None:
        server_id = registration.server.server_id
        if self._registrations.get(server_id) is registration:
            del self._registrations[server_id]
            self._changed.pop(server_id, None)
            self._removed[server_id] = registration
            self._wake.set()

    # -- the store ----------------------------------------------------------------------------------

    def _schedule_report(self, registration: Registration) -> None:
        """Schedule a report: at once, or after INCREASE_SECONDS if only the number of players has grown."""
        if (
            registration.reported is not None
            and registration.reported[0] == registration.state[0]
            and registration.reported[1] <= registration.state[1]
        ):
            if registration not in self._increases:
                self._increases.add(registration)
            return
        self._report_now(registration)

    def _report_increase(self, registration: Registration) -> None:
        if (
            registration.reported != registration.state
            and self._registrations.get(registration.server.server_id) is registration
        ):
            self._report_now(registration)

    def _report_now(self, registration: Registration) -> None:
        self._changed[registration.server.server_id] = registration
        self._wake.set()

    async def _report(self, registration: Registration) -> None:
        registration.sequence += 1
        registration.reported = registration.state
        streamer = registration.server.report(
            app=self._settings.app,
            dialect=self._settings.legacy_dialect,
            connected=registration.connection is not None,
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
            log.info("legacy server reports through another connection", server=registration.server.server_id)
            registration.connection.close()

    async def _report_removal(self, server_id: str, registration: Registration) -> None:
        registration.sequence += 1
        await self._store.report(
            ServerReport(
                server_id=server_id,
                sequence=registration.sequence,
                owner=self._replica_id,
                fence=max(1, registration.fence),
            )
        )
