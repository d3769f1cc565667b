"""The conversation of a player with a server, up to the offer. No I/O."""

from dataclasses import dataclass
from typing import Any, Final

from pixelfleet.protocol.messages import Message
from pixelfleet.service.shown import one_line

PLAYER_OFFERS: Final = "legacy"
"""The dialect in which the player sends the offer (Unreal 4.27)."""


@dataclass(slots=True)
class Conversation:
    """What a player has learned so far."""

    matched: bool = False
    """Whether a matchmaker has assigned a streamer."""
    player_offers: bool = False
    """Whether the streamer waits for the player's offer."""
    unserved: bool = False
    position: int | None = None
    """The last place in the queue; None before the first one and after the match."""
    configuration: dict[str, Any] | None = None
    """The RTCConfiguration of the `config` message."""
    subscribed: bool = False
    listed: int | None = None
    """The number of listed streamers; None before the list."""
    refused: str | None = None
    """The text of `subscribeFailed`."""
    offer: str = ""
    """The SDP of the streamer's offer."""

    @property
    def over(self) -> bool:
        """Whether the doctor has learned all that a player can learn without taking part in a session."""
        return bool(
            self.offer
            or self.refused is not None
            or self.unserved
            or (self.player_offers and self.configuration is not None)
        )

    def take(self, message: Message) -> list[Message]:
        """Handle a message of the server; return the messages to send."""
        kind = message["type"]
        match kind:
            case "matchmaker":
                self._matchmaker(message)
            case "config":
                options = message.get("peerConnectionOptions")
                self.configuration = options if isinstance(options, dict) else {}
                return [{"type": "listStreamers"}]
            case "streamerList":
                return self._list(message.get("ids"))
            case "subscribeFailed":
                self.refused = one_line(str(message.get("message", "")), 200)
            case "offer" if isinstance(message.get("sdp"), str):
                self.offer = message["sdp"]
            case "ping":
                return [{"type": "pong", "time": message.get("time")}]
        return []

    def _matchmaker(self, message: Message) -> None:
        if message.get("matched") is True:
            self.matched, self.position = True, None
            self.player_offers = message.get("dialect") == PLAYER_OFFERS
        elif message.get("unserved") is True:
            self.unserved = True
        elif type(message.get("position")) is int:
            self.position = message["position"]

    def _list(self, ids: object) -> list[Message]:
        names = [each for each in ids if isinstance(each, str)] if isinstance(ids, list) else []
        self.listed = len(names)
        if not names or self.subscribed:
            return []
        self.subscribed = True
        return [{"type": "subscribe", "streamerId": names[0]}]
