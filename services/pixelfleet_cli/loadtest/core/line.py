"""The session layer of a player: counts messages, and returns to its session after a drop. No I/O."""

from collections import deque
from typing import Any, Final

from pixelfleet.protocol.messages import Message

UNCOUNTED: Final = frozenset({"session", "ping", "pong"})
"""The messages that belong to the session layer itself."""


class Line:
    """The messages of one negotiation, over one websocket after another.

    A signalling server that can resume sends `session` first. From then on both sides count the messages of each
    direction, and acknowledge them with `ping` and `pong`.
    """

    __slots__ = ("_first", "_received", "_token", "_unacknowledged", "counts", "must_negotiate", "resumed")

    def __init__(self) -> None:
        self._token = ""
        self._received = 0
        self._first = 0
        """The number of the oldest message in `_unacknowledged`."""
        self._unacknowledged: deque[Message] = deque()
        self.counts = False
        """Whether the other side counts, so that pings acknowledge messages."""
        self.resumed = False
        """Whether the present websocket continues the negotiation of an earlier one."""
        self.must_negotiate = False
        """Whether messages were lost, so that the session needs a new negotiation."""

    @property
    def can_return(self) -> bool:
        """Whether there is a token to return with."""
        return bool(self._token)

    def query(self) -> dict[str, str]:
        """Return the query of the next dial."""
        self.resumed = False
        if not self._token:
            return {"resume": "1"}
        if self.must_negotiate:
            self.must_negotiate = False
            self._forget()
            return {"resume": self._token, "fresh": "1"}
        if not self.counts:
            return {"resume": self._token}
        return {"resume": self._token, "received": str(self._received)}

    def end(self) -> None:
        """Forget the session: the next dial is a new arrival."""
        self._token, self.counts = "", False
        self._forget()

    def sent(self, message: Message) -> None:
        """Count a message of the player."""
        if self.counts and message["type"] not in UNCOUNTED:
            self._unacknowledged.append(message)

    def take(self, message: Message) -> list[Message]:
        """Handle a message of the server; return those that the player has to send again."""
        match message["type"]:
            case "session":
                return self._session(message)
            case "pong":
                self._acknowledge(message.get("received"))
            case kind if kind not in UNCOUNTED:
                self._received += 1
        return []

    def ping(self, time: float) -> Message:
        """Return the ping that acknowledges what the player has received."""
        return {"type": "ping", "time": time, "received": self._received}

    def _session(self, message: Message) -> list[Message]:
        if message.get("resumed") is True:
            self.resumed = True
            self._acknowledge(message.get("received"))
            return list(self._unacknowledged)
        token = message.get("token")
        if isinstance(token, str):
            self._token = token
            # A matchmaker's token keeps the place in the queue; only a signalling server counts.
            self.counts = "reloadSeconds" in message
            self._forget()
        return []

    def _acknowledge(self, received: Any) -> None:
        if type(received) is not int:
            return
        while self._unacknowledged and self._first < received:
            self._unacknowledged.popleft()
            self._first += 1

    def _forget(self) -> None:
        self._received = self._first = 0
        self._unacknowledged.clear()
