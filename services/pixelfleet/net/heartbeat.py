"""Pings every socket of a server from one task, so that an idle socket costs no task and no timer of its own."""

import asyncio
from collections import deque

from pixelfleet.net.websocket import WebSocket
from pixelfleet.protocol import close_codes


class Heartbeat:
    """Pings each socket every `interval` seconds and closes one that has not answered within `patience`.

    Sockets wait in two queues ordered by when they are due, so a tick looks only at those that are.
    """

    TICK_SECONDS = 0.5

    def __init__(self, interval: float, patience: float) -> None:
        self._interval = interval
        self._patience = min(patience, interval)
        self._to_ping: deque[tuple[float, WebSocket]] = deque()
        self._to_check: deque[tuple[float, WebSocket]] = deque()
        self._loop = asyncio.get_running_loop()

    def add(self, socket: WebSocket) -> None:
        """Watch a socket until it closes."""
        self._to_ping.append((self._loop.time() + self._interval, socket))

    def tick(self) -> None:
        """Ping and check what is due."""
        now = self._loop.time()
        while self._to_check and self._to_check[0][0] <= now:
            _, socket = self._to_check.popleft()
            if socket.is_open and socket.awaits_pong:
                socket.close(close_codes.PONG_TIMEOUT)
        while self._to_ping and self._to_ping[0][0] <= now:
            _, socket = self._to_ping.popleft()
            if socket.is_open:
                socket.ping()
                self._to_check.append((now + self._patience, socket))
                self._to_ping.append((now + self._interval, socket))

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            await asyncio.sleep(self.TICK_SECONDS)
            self.tick()
