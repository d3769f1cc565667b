"""The conversation of a player without media. No I/O."""

from enum import IntEnum
from typing import Final

from pixelfleet.protocol.messages import Message
from pixelfleet.service.shown import one_line
from pixelfleet_cli.loadtest.core.descriptions import answer_to
from pixelfleet_cli.loadtest.core.line import Line

MAX_REASON: Final = 80


class Stage(IntEnum):
    """How far a player has come."""

    DIALLED = 0
    QUEUED = 1
    SERVED = 2
    """It has a streamer: `config` has arrived."""
    OFFERED = 3
    """The streamer's offer has arrived."""


class Player:
    """Queues, gets a streamer, and optionally negotiates without media."""

    __slots__ = ("_negotiates", "_subscribed", "answers", "line", "refused", "stage")

    def __init__(self, *, negotiates: bool, answers: bool = True) -> None:
        """With `negotiates` the player goes on to the offer; with `answers` it sends an answer of its own to it."""
        self._negotiates, self.answers = negotiates, answers
        self._subscribed = False
        self.line = Line()
        self.stage = Stage.DIALLED
        self.refused: str | None = None
        """The text of `subscribeFailed`."""

    def query(self) -> dict[str, str]:
        """Return the query of the next dial, and begin anew unless the negotiation can be continued."""
        query = self.line.query()
        if "received" not in query:
            self.stage, self._subscribed = Stage.DIALLED, False
        return query

    def take(self, message: Message) -> list[Message]:
        """Handle a message of the server; return the messages to send."""
        again = self.line.take(message)
        replies = self._reply(message)
        for reply in replies:
            self.line.sent(reply)
        return again + replies

    def _reply(self, message: Message) -> list[Message]:
        match message["type"]:
            case "matchmaker" if message.get("queued") is True:
                self._reach(Stage.QUEUED)
            case "config":
                self._subscribed = False
                self._reach(Stage.SERVED)
                return [{"type": "listStreamers"}] if self._negotiates else []
            case "streamerList":
                return self._subscribe(message.get("ids"))
            case "subscribeFailed":
                self.refused = one_line(str(message.get("message", "")), MAX_REASON)
            case "offer" if self._negotiates and isinstance(message.get("sdp"), str):
                self._reach(Stage.OFFERED)
                return [{"type": "answer", "sdp": answer_to(message["sdp"])}] if self.answers else []
            case "ping":
                return [{"type": "pong", "time": message.get("time")}]
        return []

    def _reach(self, stage: Stage) -> None:
        self.stage = max(self.stage, stage)

    def _subscribe(self, ids: object) -> list[Message]:
        names = [each for each in ids if isinstance(each, str)] if isinstance(ids, list) else []
        if not names or self._subscribed or not self._negotiates:
            return []
        self._subscribed = True
        return [{"type": "subscribe", "streamerId": names[0]}]
