"""Pages that can return to their sessions, on a server whose sockets only remember: a model of the page's transport.

Nothing is delivered by itself: each direction of each connection is a queue from which a test delivers messages one by
one. A page's connection can be cut without the server's knowledge, and the server may notice that at any later time.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import orjson
from multidict import CIMultiDict, CIMultiDictProxy

from pixelfleet.net.request_head import RequestHead
from pixelfleet.protocol.messages import Message
from pixelfleet.service.lifecycle import Tasks
from signalserver import returns as returns_module
from signalserver.config_wait import ConfigWaits
from signalserver.core.roster import Admission
from signalserver.core.state import Rules
from signalserver.drain import Drain
from signalserver.resumable import ResumablePlayer
from signalserver.returns import Returns
from signalserver.rtc_config import RtcConfigSource
from signalserver.settings import Settings
from tests.unit.pixelfleet.net.sockets import FakeSocket
from tests.unit.signalserver.core.conversation import CONFIG
from tests.unit.signalserver.hubs import Made, Wired, make_hub

LATE = 1e9
"""Later than every time limit of a test, in seconds."""


def request(path: str, **headers: str) -> RequestHead:
    return RequestHead("GET", path, CIMultiDictProxy(CIMultiDict(headers)), "127.0.0.1")


@dataclass(eq=False)
class Link:
    """One connection between a page and the server."""

    socket: FakeSocket
    up: deque[bytes] = field(default_factory=deque)
    """What the page has sent and the server has not received."""
    read: int = 0
    """How many of the server's messages the page has received."""
    ended: bool = False
    """Whether the server has been notified of the end."""

    def deliver(self) -> bool:
        """Deliver one message to the server; return whether there was one."""
        if not self.up or self.ended:
            return False
        data = self.up.popleft()
        if self.socket.is_open and self.socket.handler is not None:
            self.socket.handler.message(data)
        return True

    def end(self, code: int) -> None:
        """Notify the server that the connection has ended; the code of a close by the server takes precedence."""
        if not self.ended:
            self.ended = True
            self.socket.is_open = False
            handler, self.socket.handler = self.socket.handler, None
            if handler is not None:
                handler.closed(self.socket.closes[0][0] if self.socket.closes else code, "")


@dataclass(eq=False)
class Page:
    """A page: its present negotiation, and what its library has sent and received in it."""

    server: "Server"
    session_id: str | None
    spectator: bool = False
    link: Link | None = None
    token: str = ""
    sent: list[Message] = field(default_factory=list)
    """The messages of the library in the present negotiation; the first `acknowledged` ones are not needed any more."""
    acknowledged: int = 0
    received: list[Message] = field(default_factory=list)
    greeted: bool = False
    """Whether the present connection has begun with its `session` message."""
    must_negotiate: bool = False
    over: int | None = None
    """The close code after which the page does not return with its token."""

    def send(self, message: Message) -> None:
        """Send a message of the library."""
        self.sent.append(message)
        if self.link is not None and self.greeted:
            self.link.up.append(orjson.dumps(message))

    def ping(self) -> None:
        if self.link is not None and self.greeted:
            self.link.up.append(orjson.dumps({"type": "ping", "time": 1, "received": len(self.received)}))

    def cut(self) -> None:
        """Lose the connection without the server's knowledge."""
        self.link, self.greeted = None, False

    def connect(self) -> None:
        """Connect for the first time."""
        self.link = self.server.open(self)

    def resume(self) -> None:
        """Connect again, while the old connection may be open."""
        if self.must_negotiate:
            self.negotiate()
            return
        self.greeted = False
        self.link = self.server.dial(f"resume={self.token}&received={len(self.received)}")

    def negotiate(self) -> None:
        """Connect again with a new negotiation in the same session."""
        self.greeted = self.must_negotiate = False
        self.sent, self.received, self.acknowledged = [], [], 0
        self.link = self.server.dial(f"resume={self.token}&fresh=1")

    def read(self) -> bool:
        """Receive one message, or the close after the last one; return whether there was one."""
        link = self.link
        if link is None:
            return False
        if link.read < len(link.socket.sent):
            link.read += 1
            self._take(orjson.loads(link.socket.sent[link.read - 1]), link)
            return True
        if link.socket.closes:
            self._closed(link.socket.closes[0][0])
            return True
        return False

    def _take(self, message: Message, link: Link) -> None:
        kind = message["type"]
        if kind == "session":
            self.greeted = True
            if message.get("resumed"):
                self._send_again(message["received"], link)
            else:
                self.token = message["token"]
                link.up.extend(map(orjson.dumps, self.sent))
        elif kind == "pong":
            self.acknowledged = max(self.acknowledged, message["received"])
        else:
            self.received.append(message)

    def _send_again(self, received: int, link: Link) -> None:
        assert self.acknowledged <= received <= len(self.sent), "the server counts other messages"
        self.acknowledged = received
        link.up.extend(map(orjson.dumps, self.sent[received:]))

    def _closed(self, code: int) -> None:
        self.cut()
        if code == 4008:
            self.must_negotiate = True
        elif code == 4007 or code >= 4200 or code == 1000:
            self.over = code


@dataclass(eq=False)
class Server:
    """A server with one streamer, `cam`, of one slot."""

    made: Made
    returns: Returns
    drain: Drain
    streamer: Wired
    links: list[Link] = field(default_factory=list)

    def arrive(self, session_id: str | None = None, *, spectator: bool = False) -> Page | None:
        """Connect a page with a session token, or return None if its slot is occupied."""
        page = Page(self, session_id, spectator)
        if session_id is not None:
            sessions = self.made.hub.sessions
            sessions.update(self.made.hub.switchboard.players())
            if not sessions.admits(Admission(session_id, "cam", "game", spectator)):
                return None
        page.connect()
        return page

    def open(self, page: Page) -> Link:
        session_id = page.session_id
        admission = Admission(session_id, "cam", "game", page.spectator) if session_id is not None else None
        link = self._link()
        link.socket.handler = self.returns.connect(
            link.socket.real, CONFIG, address="127.0.0.1", offers=False, admission=admission
        )
        return link

    def dial(self, query: str) -> Link:
        """Open a connection with a resume token."""
        link = self._link()
        text = query.partition("resume=")[2].partition("&")[0]
        link.socket.handler = self.returns.returned(link.socket.real, request(f"/?{query}"), text)
        return link

    def player_of(self, page: Page) -> ResumablePlayer:
        """Return the page's player."""
        assert page.link is not None
        assert isinstance(page.link.socket.handler, ResumablePlayer)
        return page.link.socket.handler

    def keep(self, session_id: str) -> Link:
        """Connect a page without tokens whose session is kept."""
        link = self._link()
        admission = Admission(session_id, "cam", "game", spectator=False)
        link.socket.handler = self.returns.connect(
            link.socket.real, CONFIG, address="127.0.0.1", offers=False, admission=admission, kept=True
        )
        return link

    def _link(self) -> Link:
        link = Link(FakeSocket())
        self.links.append(link)
        return link

    def expire(self) -> None:
        """Let the time pass that every session is kept."""
        self.made.hub.execute(self.made.hub.switchboard.tick(LATE))

    def settle(self) -> None:
        """Notify the server of every connection that it has closed."""
        for link in self.links:
            if link.socket.closes:
                link.end(1006)

    def connected(self) -> list[str]:
        """Return the ids of the streamer's players; fail if it ever had two in its one slot."""
        present: list[str] = []
        for message in self.streamer.received():
            if message["type"] == "playerConnected":
                present.append(message["playerId"])
                assert len(present) == 1, "two players in one slot"
            elif message["type"] == "playerDisconnected":
                present.remove(message["playerId"])
        return present

    def series(self, name: str, **labels: str) -> float | None:
        return self.made.metrics.registries.all.get_sample_value(name, labels)


def make_server(rules: Rules | None = None, **settings: Any) -> Server:
    """Return a server with a streamer; needs a running event loop."""
    made = make_hub(rules)
    made.metrics.sessions.watch_away(lambda: made.hub.switchboard.away_count)
    drain = Drain(made.hub, made.metrics, spread_seconds=0, grace_seconds=60)
    config = cast("RtcConfigSource", SimpleNamespace(immediate_message=lambda: CONFIG))
    waits = ConfigWaits(config, made.metrics, Tasks())
    chosen = Settings(**{"session_key": "k" * 32, **settings})
    returns = returns_module.Returns(made.hub, drain, made.metrics, chosen, "pod-1", waits)
    return Server(made, returns, drain, made.streamer("cam"))


def make_server_without_loop(rules: Rules | None = None, **settings: Any) -> Server:
    """Return a server for a test that needs no event loop."""

    async def make() -> Server:
        return make_server(rules, **settings)

    return asyncio.run(make())
