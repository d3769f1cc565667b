"""The conversation of a test streamer without media. No I/O."""

from pixelfleet.protocol.messages import PROTOCOL_VERSION, Message
from pixelfleet_cli.loadtest.core.descriptions import OFFER


class CannedStreamer:
    """Announces an id, and sends each player the same offer."""

    __slots__ = ("is_registered", "players", "streamer_id")

    def __init__(self, streamer_id: str) -> None:
        self.streamer_id = streamer_id
        self.is_registered = False
        """Whether the server has confirmed the id, or has sent a player."""
        self.players: set[str | int] = set()
        """The ids of the present players, which the server chooses and bounds."""

    def take(self, message: Message) -> list[Message]:
        """Handle a message of the signalling server; return the messages to send."""
        player = message.get("playerId")
        match message["type"]:
            case "identify":
                return [{"type": "endpointId", "id": self.streamer_id, "protocolVersion": PROTOCOL_VERSION}]
            case "endpointIdConfirm":
                self.is_registered = True
            case "ping":
                return [{"type": "pong", "time": message.get("time")}]
            case "playerConnected" if isinstance(player, str | int):
                self.is_registered = True
                self.players.add(player)
                if message.get("sendOffer") is not False:
                    return [{"type": "offer", "sdp": OFFER, "playerId": player}]
            case "playerDisconnected" if isinstance(player, str | int):
                self.players.discard(player)
        return []
