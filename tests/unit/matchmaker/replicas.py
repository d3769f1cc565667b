"""The players of a replica on fake sockets, with dials whose outcome is set by the test."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from matchmaker.legacy.known_dialects import LegacyDialects
from matchmaker.metrics import Metrics
from matchmaker.place import NO_PLACE
from matchmaker.player import Player
from matchmaker.players import Players
from matchmaker.settings import Settings
from pixelfleet.fleet.model import Ticket
from pixelfleet.net.dial import DialError
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.service.lifecycle import Tasks
from tests.unit.matchmaker.brokers import BrokerDriver, Store
from tests.unit.pixelfleet.net.sockets import FakeSocket

KEY = "k" * 32


class Dial:
    """One dial, pending until `open` or `fail`."""

    def __init__(self, url: str, opened: Callable[[WebSocket], MessageHandler | None], options: dict[str, Any]) -> None:
        self.url = url
        self.options = options
        self.socket = FakeSocket()
        self.handler: Any = None
        self._opened = opened
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def open(self) -> None:
        """Accept the websocket, as a signalling server does."""
        self.handler = self._opened(self.socket.real)
        self._done.set_result(None)

    def fail(self, status: int = 0) -> None:
        self._done.set_exception(DialError("refused", status))

    async def wait(self) -> None:
        await self._done


class Replica:
    """The players of one replica, with a fake store and fake dials."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tasks: Tasks, **settings: Any) -> None:
        self.store = Store()
        self.driver = BrokerDriver(self.store)
        self.broker = self.driver.broker
        tasks.spawn(self.broker.departures.run())
        self.players = Players(
            self.broker,
            Settings(session_key=KEY, **settings),
            tasks,
            Heartbeat(20, 10),
            Metrics(),
            None,
            LegacyDialects([]),
        )
        tasks.spawn(self.players.run())
        self.dials: list[Dial] = []
        monkeypatch.setattr("matchmaker.player.dial", self._dial)

    async def _dial(self, url: str, opened: Any, bounds: Any, **options: Any) -> None:
        dial = Dial(url, opened, options)
        self.dials.append(dial)
        await dial.wait()

    def upgrade(self, path: str = "/", remote: str = "127.0.0.1", **headers: str) -> Any:
        return self.players.take(RequestHead("GET", path, CIMultiDictProxy(CIMultiDict(headers)), remote))

    def player(self, **join_request: Any) -> "Client":
        """Connect a player; keyword arguments are fields of its ticket or those that are read here."""
        socket = FakeSocket()
        passed_on, client = join_request.pop("passed_on", {}), join_request.pop("client", "")
        hands_over = join_request.pop("hands_over", False)
        facts = {"session_id": secrets.token_hex(16), "replica_id": self.broker.replica_id, "app": "default"}
        place = join_request.pop("place", NO_PLACE)
        ticket = Ticket(**{**facts, **join_request})
        handler = self.players._opened(socket.real, ticket, passed_on, client, hands_over, place)
        assert isinstance(handler, Player)
        return Client(self, socket, handler)

    async def settle(self) -> None:
        """Let pending tasks run, for 20 turns of the loop."""
        for _ in range(20):
            await asyncio.sleep(0)
            await self.broker.departures.send()


class Client:
    """A connected player and its fake socket."""

    def __init__(self, replica: Replica, socket: FakeSocket, player: Player) -> None:
        self.replica = replica
        self.socket = socket
        self.player = player

    @property
    def session(self) -> str:
        return self.player.ticket.session_id

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [orjson.loads(data) for data in self.socket.sent if data.startswith(b"{")]

    @property
    def details(self) -> list[Any]:
        """The `detail` of each message of the matchmaker itself."""
        return [message["detail"] for message in self.messages if message["type"] == "matchmaker"]

    def send(self, data: bytes) -> None:
        self.player.message(data)

    def leave(self) -> None:
        self.socket.is_open = False
        self.player.closed(1005, "")
