"""The messages to a legacy matchmaker. Integration tests cover the connection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalserver.legacy.matchmaker_link import MatchmakerLink, ServerState, changes
from signalserver.metrics import Metrics
from tests.unit.signalserver.hubs import make_hub

states = st.builds(ServerState, ready=st.booleans(), players=st.integers(0, 20))


@given(before=states, now=states)
def test_the_changes_lead_from_one_state_to_the_other(before: ServerState, now: ServerState) -> None:
    ready, players = before.ready, before.players
    for message in changes(before, now):
        match message["type"]:
            case "streamerConnected":
                ready = True
            case "streamerDisconnected":
                ready = False
            case "clientConnected":
                players += 1
            case "clientDisconnected":
                players -= 1
        assert players >= 0
    assert ServerState(ready, players) == now


def test_what_did_not_change_is_not_told() -> None:
    assert changes(ServerState(True, 3), ServerState(True, 3)) == []


@pytest.mark.parametrize(
    ("url", "address", "port", "https"),
    [
        ("ws://10.0.0.7:4000", "10.0.0.7", 4000, False),
        ("wss://pod.example", "pod.example", 443, True),
        ("ws://[::1]", "::1", 80, False),
    ],
)
async def test_the_first_message_says_where_players_are_dialled(
    url: str, address: str, port: int, *, https: bool
) -> None:
    link = MatchmakerLink(make_hub().hub, lambda: None, Metrics(), "matchmaker:9999", url)
    assert link.connect_message(ServerState(ready=True, players=2)) == {
        "type": "connect",
        "address": address,
        "port": port,
        "https": https,
        "ready": True,
        "playerConnected": True,
    }
