"""The table of rules by role. The tests of the switchboard cover the single rules."""

import pytest

from pixelfleet.protocol.messages import SHAPES
from signalserver.core.message_rules import RULES
from signalserver.core.roster import Role
from tests.unit.signalserver.core.conversation import Conversation

MAY_SAY = {
    Role.STREAMER: {"answer", "disconnectPlayer", "endpointId", "iceCandidate", "layerPreference", "offer"},
    Role.PLAYER: {
        *(
            "activity",
            "answer",
            "control",
            "dataChannelRequest",
            "handOver",
            "iceCandidate",
            "invite",
            "kick",
            "layerPreference",
            "listStreamers",
        ),
        *("mute", "offer", "peerDataChannelsReady", "people", "stats", "subscribe", "unsubscribe"),
    },
    Role.SFU: {
        *("answer", "disconnectPlayer", "endpointId", "iceCandidate", "listStreamers", "offer", "peerDataChannels"),
        *("startStreaming", "stopStreaming", "streamerDataChannels", "subscribe", "unsubscribe"),
    },
}


@pytest.mark.parametrize("role", Role)
def test_each_role_may_send_the_messages_of_the_protocol(role: Role) -> None:
    assert set(RULES[role]) == MAY_SAY[role] | {"ping", "pong"}


def test_every_allowed_message_has_a_check_and_every_check_a_message() -> None:
    assert set(SHAPES) == {kind for rules in RULES.values() for kind in rules}


@pytest.mark.parametrize(
    ("key", "kind"),
    [("p", "endpointId"), ("p", "disconnectPlayer"), ("p", "startStreaming"), ("s", "subscribe"), ("s", "control")],
)
def test_a_message_of_another_role_is_an_unknown_type(key: str, kind: str) -> None:
    talk = Conversation()
    talk.streamer("s", "cam")
    talk.player("p")
    talk.send(key, kind, id="x", playerId="101", streamerId="cam", action="quit")
    assert [(drop.sender, drop.kind) for drop in talk.drops] == [(key, "unknown")]
    assert talk.receive(key) == []
    assert talk.calls == []
