"""All stock servers that are linked to this replica, and what the fleet store is told of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

import structlog

from matchmaker.legacy.connection import CHECK_SECONDS, Link
from matchmaker.legacy.server import LinkError, StockServer, connected
from matchmaker.metrics import Metrics
from matchmaker.settings import Settings
from pixelfleet.fleet.model import ServerReport
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.net.listen import listening_socket
from pixelfleet.service.deadlines import Deadlines

log = structlog.get_logger(__name__)

RISE_SECONDS: Final = 0.25
"""How long it may take until a further player is told of. One that came through a matchmaker is known by its lease
already, so there is nothing to hurry for, and one that is gone again by then need not be told at all."""

RETRY_SECONDS: Final = 1.0
GRACE_SECONDS: Final = 15.0
"""How long a server whose link broke is remembered; it reconnects every 5 s."""


@dataclass(slots=True, eq=False)
class Linked:
    """A server and the link that speaks for it."""

    server: StockServer
    link: Link | None
    fence: int = 0
    sequence: int = 0
    told: tuple[bool, int] | None = None
    """What the store knows: whether it is ready, and its players."""
    forget: asyncio.TimerHandle | None = None

    @property
    def state(self) -> tuple[bool, int]:
        """What the store should know."""
        return self.server.ready and self.link is not None, self.server.players


class StockServers:
    """Takes links, keeps the state of their servers and reports it."""

    def __init__(self, store: FleetStore, replica_id: str, settings: Settings, metrics: Metrics) -> None:
        self._store = store
        self._replica_id = replica_id
        self._settings = settings
        self._metrics = metrics
        self._links: dict[Link, Linked | None] = {}
        """Every connection, and its server once it has introduced itself."""
        self._linked = 0
        self._known: dict[str, Linked] = {}
        self._changed: dict[str, Linked] = {}
        self._gone: dict[str, Linked] = {}
        self._rises: Deadlines[Linked] = Deadlines(RISE_SECONDS, self._tell_rise)
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        return self._linked

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[int]:
        """Take links; yield the port."""
        socket = listening_socket(self._settings.legacy_host, port, "--legacy-port")
        server = await self._loop.create_server(lambda: Link(self), sock=socket, backlog=1024)
        try:
            yield int(socket.getsockname()[1])
        finally:
            server.close()
            self._rises.stop()
            for link in list(self._links):
                link.close()

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
                *(self._report(linked) for linked in changed.values()),
                *(self._report_gone(server_id, linked) for server_id, linked in gone.items()),
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
        for link in [link for link in self._links if link.heard < limit]:
            log.warning("stock server is silent", peer=link.peer, seconds=self._settings.legacy_seconds)
            link.close()

    def report_all(self) -> None:
        """Say everything again: the store has forgotten it."""
        self._changed |= self._known
        self._wake.set()

    # -- links --------------------------------------------------------------------------------------

    def opened(self, link: Link) -> None:
        """Take a connection, unless it comes from elsewhere or is one too many."""
        if not self._allowed(link.peer) or len(self._links) >= self._settings.legacy_servers:
            log.warning("link refused", peer=link.peer, links=len(self._links))
            link.close()
        else:
            self._links[link] = None

    def heard(self, link: Link, message: dict[str, Any]) -> None:
        """Take what a server says."""
        if link not in self._links:
            return
        linked = self._links[link]
        if message.get("type") == "connect":
            self._connected(link, connected(message, link.peer, trust_address=self._settings.legacy_trust_address))
        elif linked is None:
            raise LinkError("nothing is known of this server until it says `connect`")
        elif linked.server.hears(message) and linked.link is link:
            self._tell(linked)

    def ended(self, link: Link) -> None:
        """A connection is gone."""
        linked = self._links.pop(link, None)
        if linked is None:
            return
        self._count(-1)
        if linked.link is link:
            self._lost(linked)

    def _allowed(self, peer: str) -> bool:
        networks = self._settings.legacy_allow
        if not networks:
            return True
        try:
            address = ip_address(peer)
        except ValueError:  # it was gone before it could be asked where it comes from
            return False
        return any(address in network for network in networks)

    def _connected(self, link: Link, server: StockServer) -> None:
        before = self._known.get(server.server_id)
        if before is not None:
            if before.forget is not None:
                before.forget.cancel()
            if before.link is not None and before.link is not link:
                before.link.close()
        other = self._links[link]
        if other is None:
            self._count(1)
        elif other.server.server_id != server.server_id:
            self._lost(other)
        linked = Linked(server, link)
        self._links[link] = self._known[server.server_id] = linked
        self._gone.pop(server.server_id, None)
        log.info("stock server connected", server=server.server_id, ready=server.ready, players=server.players)
        self._tell(linked)

    def _count(self, change: int) -> None:
        self._linked += change
        self._metrics.links.set(self._linked)

    def _lost(self, linked: Linked) -> None:
        """Send nobody to a server without a link, and forget it if it does not come back."""
        linked.link = None
        if self._known.get(linked.server.server_id) is linked:
            log.info("stock server lost", server=linked.server.server_id)
            linked.forget = self._loop.call_later(GRACE_SECONDS, self._forget, linked)
            self._tell(linked)

    def _forget(self, linked: Linked) -> None:
        server_id = linked.server.server_id
        if self._known.get(server_id) is linked:
            del self._known[server_id]
            self._changed.pop(server_id, None)
            self._gone[server_id] = linked
            self._wake.set()

    # -- the store ----------------------------------------------------------------------------------

    def _tell(self, linked: Linked) -> None:
        """Have the store told what has changed: at once, unless it is only that there are more players."""
        if linked.told is not None and linked.told[0] == linked.state[0] and linked.told[1] <= linked.state[1]:
            if linked not in self._rises:
                self._rises.add(linked)
            return
        self._tell_now(linked)

    def _tell_rise(self, linked: Linked) -> None:
        if linked.told != linked.state and self._known.get(linked.server.server_id) is linked:
            self._tell_now(linked)

    def _tell_now(self, linked: Linked) -> None:
        self._changed[linked.server.server_id] = linked
        self._wake.set()

    async def _report(self, linked: Linked) -> None:
        linked.sequence += 1
        linked.told = linked.state
        streamer = linked.server.report(
            app=self._settings.app, dialect=self._settings.legacy_dialect, linked=linked.link is not None
        )
        answer = await self._store.report(
            ServerReport(
                server_id=linked.server.server_id,
                sequence=linked.sequence,
                streamers=(streamer,),
                owner=self._replica_id,
                fence=linked.fence,
            )
        )
        if answer.taken:
            linked.fence = answer.fence
        elif linked.link is not None and linked.fence < answer.fence:
            log.info("stock server speaks over another link", server=linked.server.server_id)
            linked.link.close()

    async def _report_gone(self, server_id: str, linked: Linked) -> None:
        linked.sequence += 1
        await self._store.report(
            ServerReport(
                server_id=server_id, sequence=linked.sequence, owner=self._replica_id, fence=max(1, linked.fence)
            )
        )
