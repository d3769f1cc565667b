"""Players that ask with their request to be subscribed on their arrival."""

import pytest

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.people import Invite
from signalserver.core.roster import Admission
from signalserver.core.state import Rules
from tests.unit.signalserver.core.conversation import SDP, Conversation

ADMISSION = Admission("session-1", "cam", "game")


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


def test_the_list_and_the_offer_come_without_a_message_of_the_player(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.arrive_subscribing("p", admission=ADMISSION)
    assert talk.receive("p") == [{"type": "streamerList", "ids": ["game"]}]
    player_id = talk.receive_one("s")["playerId"]
    talk.send("s", "offer", sdp=SDP, playerId=player_id)
    assert talk.kinds("p") == ["offer"]


def test_the_messages_that_repeat_the_request_are_ignored_once(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.arrive_subscribing("p", admission=ADMISSION)
    talk.receive("p")
    talk.receive("s")
    talk.send("p", "listStreamers")
    talk.send("p", "subscribe", streamerId="game")
    assert (talk.receive("p"), talk.receive("s")) == ([], []), "one subscription, one list"
    talk.send("p", "listStreamers")
    talk.send("p", "subscribe", streamerId="game")
    assert talk.kinds("p") == ["streamerList"]
    assert talk.kinds("s") == ["playerDisconnected", "playerConnected"], "a later one negotiates anew, as ever"


def test_a_player_may_still_select_another_streamer(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.arrive_subscribing("p")
    talk.streamer("t", "other")
    talk.receive("s")
    talk.send("p", "subscribe", streamerId="other")
    assert talk.kinds("s") == ["playerDisconnected"]
    assert talk.kinds("t") == ["playerConnected"]


def test_a_player_that_unsubscribes_first_can_subscribe_again(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.arrive_subscribing("p")
    talk.receive("s")
    talk.send("p", "unsubscribe")
    talk.send("p", "subscribe", streamerId="cam")
    assert talk.kinds("s") == ["playerDisconnected", "playerConnected"]


def test_an_invited_player_that_may_not_enter_is_not_subscribed(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    invite = Invite(session="h" * 32, role="guest", app="game", id="invite-1")
    talk.arrive_subscribing("p", admission=Admission("session-1", "cam", "game", invite=invite, shares=True))
    assert talk.closed["p"][0] is close_codes.SESSION_OVER
    assert talk.kinds("p") == ["subscribeFailed"]
    assert talk.receive("s") == [], "the streamer has no player that nobody removes"


def test_without_a_streamer_the_player_asks_itself(talk: Conversation) -> None:
    talk.arrive_subscribing("p", admission=ADMISSION)
    assert talk.receive("p") == []
    talk.streamer("s", "cam")
    talk.send("p", "listStreamers")
    talk.send("p", "subscribe", streamerId="game")
    assert talk.kinds("p") == ["streamerList"]
    assert talk.kinds("s") == ["playerConnected"]


def test_a_player_that_sees_two_streamers_selects_one_itself(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.streamer("t", "other")
    talk.arrive_subscribing("p")
    assert (talk.receive("p"), talk.receive("s"), talk.receive("t")) == ([], [], [])


def test_a_player_that_offers_is_not_subscribed(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.arrive_subscribing("p", offers=True)
    assert (talk.receive("p"), talk.receive("s")) == ([], [])


def test_a_player_of_a_4_27_streamer_is_not_subscribed() -> None:
    talk = Conversation(Rules(legacy_streamers=True))
    talk.streamer("s")
    talk.receive("s")
    talk.arrive_subscribing("p")
    assert (talk.receive("p"), talk.receive("s")) == ([], [])


def test_a_player_of_a_full_streamer_is_refused_when_it_subscribes() -> None:
    talk = Conversation(Rules(max_players_per_streamer=1))
    talk.streamer("s", "cam")
    talk.subscribed("first", "cam")
    talk.arrive_subscribing("p")
    assert talk.receive("p") == []
    talk.send("p", "subscribe", streamerId="cam")
    assert talk.kinds("p") == ["subscribeFailed"]
