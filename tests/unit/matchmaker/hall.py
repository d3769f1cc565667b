"""A replica's players on sockets that only remember, with dials that the test decides on."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from matchmaker.metrics import Metrics
from matchmaker.player import Player
from matchmaker.players import Players
from matchmaker.settings import Settings
from pixelfleet.net.dial import DialError
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.service.lifecycle import Tasks
from tests.unit.matchmaker.fleet import Store, Turning
from tests.unit.pixelfleet.net.sockets import FakeSocket

KEY = "k" * 32


class Dial:
    """One dial that waits for its answer."""

    def __init__(self, url: str, opened: Callable[[WebSocket], MessageHandler | None], options: dict[str, Any]) -> None:
        self.url = url
        self.options = options
        self.socket = FakeSocket()
        self.handler: Any = None
        self._opened = opened
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def open(self) -> None:
        """The other server takes the player."""
        self.handler = self._opened(self.socket.real)
        self._done.set_result(None)

    def fail(self, status: int = 0) -> None:
        self._done.set_exception(DialError("refused", status))

    async def outcome(self) -> None:
        await self._done


class Hall:
    """The players of one replica."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tasks: Tasks, **settings: Any) -> None:
        self.store = Store()
        self.turning = Turning(self.store)
        self.broker = self.turning.broker
        tasks.spawn(self.broker.departures.run())
        self.players = Players(
            self.broker, Settings(session_key=KEY, **settings), tasks, Heartbeat(20, 10), Metrics(), None
        )
        tasks.spawn(self.players.run())
        self.dials: list[Dial] = []
        monkeypatch.setattr("matchmaker.player.dial", self._dial)

    async def _dial(self, url: str, opened: Any, bounds: Any, **options: Any) -> None:
        dial = Dial(url, opened, options)
        self.dials.append(dial)
        await dial.outcome()

    def upgrade(self, path: str = "/", **headers: str) -> Any:
        return self.players.take(RequestHead("GET", path, CIMultiDictProxy(CIMultiDict(headers))))

    def player(self, **join_request: Any) -> "Seat":
        """Let a player in, as its socket opens."""
        from matchmaker.join_request import JoinRequest

        socket = FakeSocket()
        passed_on = join_request.pop("passed_on", {})
        handler = self.players._opened(socket.real, JoinRequest(**{"app": "default", **join_request}), passed_on, 0)
        assert isinstance(handler, Player)
        return Seat(self, socket, handler)

    async def settle(self) -> None:
        """Let what can go on by itself do so."""
        for _ in range(20):
            await asyncio.sleep(0)
            await self.broker.departures.send()


class Seat:
    """One player and its socket."""

    def __init__(self, hall: Hall, socket: FakeSocket, player: Player) -> None:
        self.hall = hall
        self.socket = socket
        self.player = player

    @property
    def session(self) -> str:
        return self.player.ticket.session_id

    @property
    def headers(self) -> list[dict[str, Any]]:
        return [orjson.loads(data) for data in self.socket.sent if data.startswith(b"{")]

    @property
    def details(self) -> list[Any]:
        """What the matchmaker's own messages said."""
        return [message["detail"] for message in self.headers if message["type"] == "matchmaker"]

    def say(self, data: bytes) -> None:
        self.player.message(data)

    def leave(self) -> None:
        self.socket.is_open = False
        self.player.closed(1005, "")
