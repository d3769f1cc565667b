"""Pings all websockets of a server from one task: an idle websocket needs no task or timer."""

import asyncio
from collections import deque

from pixelfleet.net.websocket import WebSocket
from pixelfleet.protocol import close_codes


class Heartbeat:
    """Pings each socket every `interval` seconds and closes it when no pong arrives within `patience` seconds.

    Two queues hold the sockets in the order of their due times, so a tick visits only the sockets that are due.
    """

    TICK_SECONDS = 0.5

    def __init__(self, interval: float, patience: float) -> None:
        self._interval = interval
        self._patience = min(patience, interval)
        self._to_ping: deque[tuple[float, WebSocket]] = deque()
        self._to_check: deque[tuple[float, WebSocket]] = deque()
        self._loop = asyncio.get_running_loop()

    def add(self, socket: WebSocket) -> None:
        """Ping a socket from now on, until it closes."""
        self._to_ping.append((self._loop.time() + self._interval, socket))

    def tick(self) -> None:
        """Ping and check the sockets that are due."""
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
