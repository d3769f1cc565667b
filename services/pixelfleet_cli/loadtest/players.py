"""One player of a load test, from its arrival to its end."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from pixelfleet.protocol.messages import Message
from pixelfleet_cli.loadtest.core import errors
from pixelfleet_cli.loadtest.core.player import Player, Stage
from pixelfleet_cli.loadtest.core.schedule import Arrival
from pixelfleet_cli.loadtest.core.tally import Event, Span
from pixelfleet_cli.loadtest.core.target import with_query
from pixelfleet_cli.loadtest.legs import Leg, News
from pixelfleet_cli.loadtest.load import Load

SESSION_GONE: Final = 4007
MESSAGES_LOST: Final = 4008
"""Close codes after which a player with a token joins or negotiates anew."""

RETURNS: Final = 3
"""The most dials after one drop."""


Send = Callable[[Message], None]


class Media(Protocol):
    """The media of a player."""

    def take(self, message: Message) -> None:
        """Handle a message of the server."""

    async def close(self) -> None:
        """End the media and record what was received."""


class PlayerRun:
    """Runs one player. It holds no resource after `run` has ended or was cancelled."""

    def __init__(self, load: Load, arrival: Arrival, media: Callable[[Send], Media] | None = None) -> None:
        self._load, self._arrival = load, arrival
        self._media = media(self.send) if media is not None else None
        self._player = Player(negotiates=load.settings.negotiate or media is not None, answers=media is None)
        self._news = News()
        self._leg = Leg(self._take, self._news, load.sockets)
        self._begun = 0.0
        self._configured = False
        """Whether the present websocket has brought a `config`."""
        self._playing = False
        self._returned = False
        """Whether the connection has dropped before."""

    def send(self, message: Message) -> None:
        """Send a message of the media."""
        self._player.line.sent(message)
        self._leg.send(message)

    async def run(self) -> None:
        """Arrive, wait, play and leave; everything that happens is counted."""
        load = self._load
        load.tally.present(waiting=1)
        load.count(Event.STARTED)
        try:
            if await self._join():
                load.tally.present(playing=1, waiting=-1)
                self._playing = True
                load.count(Event.SERVED)
                await self._play()
        finally:
            load.heartbeats.discard(self._ping)
            load.tally.present(**({"playing": -1} if self._playing else {"waiting": -1}))
            if self._media is not None:
                await asyncio.shield(self._media.close())
            self._leg.close()

    async def _join(self) -> bool:
        """Dial and wait for a streamer; return whether the player has one."""
        deadline = self._load.at(self._load.now + self._arrival.patience)
        if not await self._dial():
            return self._failed()
        if not await self._news.until(lambda: self._configured or self._over, deadline):
            self._load.count(Event.GAVE_UP)
            return False
        return self._configured or self._failed()

    async def _play(self) -> None:
        """Stay for the player's time; the connection may drop meanwhile."""
        load = self._load
        until = load.now + self._arrival.hold
        while True:
            drop = float("inf") if self._media is not None else load.now + load.drops.next()
            if await self._news.until(lambda: self._over, load.at(min(drop, until))):
                self._failed()
                return
            if drop >= until:
                load.count(Event.COMPLETED)
                return
            if not await self._drop():
                return

    async def _drop(self) -> bool:
        """Lose the connection and return; return whether the player plays again."""
        load = self._load
        load.count(Event.DROPS)
        self._returned = True
        load.heartbeats.discard(self._ping)
        self._leg.drop()
        await asyncio.sleep(load.settings.away_seconds)
        line = self._player.line
        deadline = load.at(load.now + self._arrival.patience)
        for _ in range(RETURNS):
            is_fresh = line.must_negotiate
            had_token = line.can_return
            if not await self._dial():
                return self._failed()
            if not await self._news.until(lambda: line.resumed or self._configured or self._over, deadline):
                load.count(Event.GAVE_UP)
                return False
            if line.resumed:
                load.count(Event.RESUMED)
                load.time(Span.RESUME, self._begun)
                return True
            if self._configured:
                load.count(Event.NEGOTIATED_AGAIN if is_fresh else Event.JOINED_AGAIN)
                return True
            if had_token and self._leg.close_code == MESSAGES_LOST:
                line.must_negotiate = True
            elif had_token and self._leg.close_code == SESSION_GONE:
                self._failed()
                line.end()
            else:
                break
        return self._failed()

    async def _dial(self) -> bool:
        """Open a websocket; return whether that worked."""
        load = self._load
        query = self._player.query()
        self._begun, self._configured = load.now, False
        self._leg = Leg(self._take, self._news, load.sockets)
        if not await self._leg.dial(with_query(load.url, query if load.settings.resume else {})):
            return False
        load.time(Span.CONNECT, self._begun)
        return True

    @property
    def _over(self) -> bool:
        return self._leg.code is not None or self._player.refused is not None

    def _failed(self) -> bool:
        """Count the end of the connection as an error; return False."""
        refused = self._player.refused
        self._load.failed(errors.of_refusal(refused) if refused is not None else self._leg.code or errors.OTHER)
        return False

    def _take(self, message: Message) -> None:
        """Handle a message of the server."""
        player, before = self._player, self._player.stage
        for reply in player.take(message):
            self._leg.send(reply)
        if self._media is not None:
            self._media.take(message)
        kind = message["type"]
        if kind == "config" and not self._configured:
            self._configured = True
            if not self._returned:
                self._load.time(Span.WAIT, self._begun)
        elif player.stage > before and player.stage is Stage.OFFERED and not self._returned:
            self._load.time(Span.OFFER, self._begun)
        elif kind == "session" and player.line.counts and self._ping not in self._load.heartbeats:
            self._load.heartbeats.add(self._ping)
        if kind in ("config", "session", "subscribeFailed"):
            self._news()

    def _ping(self) -> None:
        self._leg.send(self._player.line.ping(int(self._load.now * 1000)))
