"""Streamers of 5.0 and 5.1, which close the connection on a message that they do not know, and connect again.

The close reasons are those of their published sources; 4.27 has a reason of its own.
"""

import pytest

from pixelfleet.protocol.dialects import STRICT_STREAMER_UNDERSTANDS
from signalserver.core.roster import Role
from signalserver.core.strict_streamers import MAX_STRICT
from tests.unit.signalserver.core.conversation import SDP, Conversation

ADDRESS = "10.0.0.7"


class StrictStreamer:
    """A streamer that leaves the server with its reason when it is sent a message that it does not know."""

    def __init__(self, talk: Conversation, name: str = "cam") -> None:
        self.talk = talk
        self.name = name
        self.connections = 0
        self.key = ""
        self.connect()

    def connect(self) -> None:
        self.connections += 1
        self.key = f"{self.name}-{self.connections}"
        self.talk.streamer(self.key, address=ADDRESS)
        self.read()
        self.talk.send(self.key, "endpointId", id=self.name)
        self.read()

    def read(self) -> list[str]:
        """Return the types of new messages; leave because of an unknown one and connect again."""
        kinds = self.talk.kinds(self.key)
        for kind in kinds:
            if kind not in STRICT_STREAMER_UNDERSTANDS:
                self.talk.leave(self.key, f"Unsupported message `{kind}` received from SS")
                self.connect()
        return kinds


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


def test_a_5_0_streamer_leaves_once_and_plays(talk: Conversation) -> None:
    streamer = StrictStreamer(talk)
    assert streamer.connections == 2
    player_id = talk.subscribed("p", "cam")
    assert streamer.read() == ["playerConnected"]
    talk.send(streamer.key, "offer", sdp=SDP, playerId=player_id)
    for _ in range(3):
        talk.send("p", "layerPreference", spatialLayer=0, temporalLayer=0, playerId="")
    talk.send("p", "answer", sdp=SDP)
    assert streamer.read() == ["answer"]
    assert streamer.connections == 2
    assert talk.closed == {}
    refusals = [(refusal.kind, refusal.streamer, refusal.address) for refusal in talk.refusals]
    assert refusals == [("endpointIdConfirm", "cam", ADDRESS)]
    assert [(entry.kind, entry.streamer, entry.first) for entry in talk.withheld] == [
        ("layerPreference", "cam", True),
        ("layerPreference", "cam", False),
        ("layerPreference", "cam", False),
    ]


def test_a_streamer_at_another_address_is_sent_everything(talk: Conversation) -> None:
    StrictStreamer(talk)
    talk.streamer("other", address="10.0.0.8")
    talk.receive("other")
    talk.send("other", "endpointId", id="lens")
    assert talk.kinds("other") == ["endpointIdConfirm"]


def test_a_later_version_at_the_address_is_sent_everything(talk: Conversation) -> None:
    streamer = StrictStreamer(talk)
    talk.leave(streamer.key)
    talk.streamer("new", "cam", address=ADDRESS)
    talk.subscribed("p", "cam")
    talk.receive("new")
    talk.send("p", "layerPreference", spatialLayer=0, temporalLayer=0, playerId="")
    assert talk.kinds("new") == ["layerPreference"]
    talk.leave("new")
    talk.streamer("third", address=ADDRESS)
    talk.send("third", "endpointId", id="cam")
    assert "endpointIdConfirm" in talk.kinds("third")


@pytest.mark.parametrize("reason", ["", "bye", "Unsupported message", "unsupported message `ping`"])
def test_another_close_is_no_refusal(talk: Conversation, reason: str) -> None:
    talk.streamer("s", "cam", address=ADDRESS)
    talk.leave("s", reason)
    assert talk.refusals == []


def test_the_refusal_of_a_4_27_streamer_is_reported_with_its_message(talk: Conversation) -> None:
    talk.streamer("s", address=ADDRESS)
    talk.leave("s", "Unsupported message received: identify")
    assert [(refusal.kind, refusal.streamer) for refusal in talk.refusals] == [("identify", "")]


def test_the_close_of_a_player_is_no_refusal(talk: Conversation) -> None:
    talk.player("p")
    talk.leave("p", "Unsupported message `offer` received from SS")
    assert talk.refusals == []


def test_the_remembered_addresses_are_limited(talk: Conversation) -> None:
    for number in range(MAX_STRICT + 1):
        talk.streamer("s", address=str(number))
        talk.leave("s", "Unsupported message `endpointIdConfirm` received from SS")
    strict = []
    for number in (0, 1, MAX_STRICT):
        talk.streamer(f"again-{number}", address=str(number))
        peer = talk.switchboard.peer(f"again-{number}")
        assert peer is not None
        assert peer.role is Role.STREAMER
        assert peer.source is not None
        strict.append(peer.source.strict)
    assert strict == [False, True, True]
