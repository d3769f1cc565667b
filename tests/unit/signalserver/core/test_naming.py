"""A second streamer with an id in use: the first one keeps it if it still answers."""

import pytest

from pixelfleet.protocol import close_codes
from signalserver.core.naming import MAX_TAKEOVERS, PROBE_SECONDS, TAKEOVER_WINDOW_SECONDS
from signalserver.core.state import Rules
from signalserver.core.switchboard import DEFAULT_ENDPOINT_ID
from tests.unit.signalserver.core.conversation import Conversation

HOST = "10.0.0.7"


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


def claim(talk: Conversation, key: str, name: str = "cam", identity: str = HOST) -> None:
    talk.streamer(key, identity=identity)
    talk.receive(key)
    talk.send(key, "endpointId", id=name)


def ids(talk: Conversation) -> dict[str, str]:
    return {source.peer.key: source.endpoint_id for source in talk.switchboard.streamers()}


def test_a_streamer_that_answers_keeps_its_id_and_its_players(talk: Conversation) -> None:
    talk.streamer("old", "cam", identity=HOST)
    talk.subscribed("p", "cam")
    claim(talk, "new")
    assert talk.probes == ["old"]
    assert talk.receive("new") == []
    talk.answer("old")
    assert talk.receive_one("new") == {"type": "endpointIdConfirm", "committedId": "cam1"}
    assert ids(talk) == {"old": "cam", "new": "cam1"}
    talk.pass_time(10)
    assert talk.closed == {}


def test_any_message_is_an_answer(talk: Conversation) -> None:
    talk.streamer("old", "cam", identity=HOST)
    claim(talk, "new")
    talk.send("old", "ping", time=1)
    assert ids(talk) == {"old": "cam", "new": "cam1"}


def test_a_silent_streamer_is_replaced_after_the_time_for_an_answer(talk: Conversation) -> None:
    talk.streamer("old", "cam", identity=HOST)
    talk.subscribed("p", "cam")
    claim(talk, "new")
    talk.pass_time(0.9 * PROBE_SECONDS)
    assert ids(talk) == {"old": "cam"}
    talk.pass_time(0.1 * PROBE_SECONDS)
    assert talk.receive_one("new")["committedId"] == "cam"
    assert talk.closed["old"][0] is close_codes.REPLACED
    assert talk.closed["p"][0] is close_codes.STREAMER_LEFT


def test_a_claim_that_is_repeated_asks_once_and_is_decided_in_the_same_time(talk: Conversation) -> None:
    talk.streamer("old", "cam", identity=HOST)
    claim(talk, "new")
    for _ in range(3):
        talk.pass_time(0.3 * PROBE_SECONDS)
        talk.send("new", "endpointId", id="cam")
    assert talk.probes == ["old"]
    talk.pass_time(0.2 * PROBE_SECONDS)
    assert ids(talk) == {"new": "cam"}
    assert talk.receive("new") == [{"type": "endpointIdConfirm", "committedId": "cam"}]


def test_an_answer_of_another_peer_changes_nothing(talk: Conversation) -> None:
    talk.streamer("old", "cam", identity=HOST)
    claim(talk, "new")
    talk.player("p")
    for key in ("new", "p"):
        talk.answer(key)
        talk.send(key, "ping")
    talk.pass_time(PROBE_SECONDS)
    assert ids(talk) == {"new": "cam"}


def test_an_answer_after_the_takeover_is_too_late(talk: Conversation) -> None:
    talk.streamer("old", "cam", identity=HOST)
    claim(talk, "new")
    talk.pass_time(PROBE_SECONDS)
    talk.answer("old")
    assert ids(talk) == {"new": "cam"}


def test_a_streamer_that_leaves_while_it_is_asked_frees_its_id(talk: Conversation) -> None:
    talk.streamer("old", "cam", identity=HOST)
    claim(talk, "new")
    talk.leave("old")
    assert talk.receive_one("new")["committedId"] == "cam"


def test_a_claimant_that_leaves_changes_nothing(talk: Conversation) -> None:
    talk.streamer("old", "cam", identity=HOST)
    claim(talk, "new")
    talk.leave("new")
    talk.pass_time(PROBE_SECONDS)
    assert ids(talk) == {"old": "cam"}
    assert talk.closed == {}


def test_a_claimant_may_change_its_mind(talk: Conversation) -> None:
    talk.streamer("old", "cam", identity=HOST)
    claim(talk, "new")
    talk.send("new", "endpointId", id="lens")
    assert talk.receive_one("new")["committedId"] == "lens"
    talk.pass_time(PROBE_SECONDS)
    assert ids(talk) == {"old": "cam", "new": "lens"}


def test_the_second_of_two_claimants_asks_the_first(talk: Conversation) -> None:
    talk.streamer("old", "cam", identity=HOST)
    claim(talk, "a")
    claim(talk, "b")
    talk.pass_time(PROBE_SECONDS)
    assert talk.probes == ["old", "old", "a"]
    talk.answer("a")
    assert ids(talk) == {"a": "cam", "b": "cam1"}


@pytest.mark.parametrize("identities", [("10.0.0.7", "10.0.0.8"), ("", "")])
def test_a_different_streamer_gets_another_id_at_once(talk: Conversation, identities: tuple[str, str]) -> None:
    talk.streamer("old", "cam", identity=identities[0])
    claim(talk, "new", identity=identities[1])
    assert talk.receive_one("new")["committedId"] == "cam1"
    assert talk.probes == []


def test_an_sfu_does_not_take_over_a_streamer(talk: Conversation) -> None:
    talk.streamer("s", "cam", identity=HOST)
    talk.sfu("f", "cam")
    assert talk.probes == []
    assert "s" not in talk.closed


def test_silent_streamers_with_the_same_id_end_with_one_id_each(talk: Conversation) -> None:
    for number in range(MAX_TAKEOVERS + 1):
        claim(talk, f"s{number}")
        talk.pass_time(PROBE_SECONDS)
    assert list(talk.closed) == [f"s{number}" for number in range(MAX_TAKEOVERS)]
    claim(talk, "damped")
    assert ids(talk) == {f"s{MAX_TAKEOVERS}": "cam", "damped": "cam1"}
    talk.pass_time(TAKEOVER_WINDOW_SECONDS)
    claim(talk, "later")
    talk.pass_time(PROBE_SECONDS)
    assert f"s{MAX_TAKEOVERS}" in talk.closed


def test_two_silent_streamers_with_the_default_id_are_asked_too() -> None:
    talk = Conversation(Rules(identify_seconds=0.5))
    for key in ("old", "new"):
        talk.streamer(key, identity=HOST)
    talk.pass_time(0.5)
    assert ids(talk) == {"old": DEFAULT_ENDPOINT_ID}
    assert talk.probes == ["old"]
    talk.pass_time(0.5)
    talk.answer("old")
    assert ids(talk) == {"old": DEFAULT_ENDPOINT_ID, "new": f"{DEFAULT_ENDPOINT_ID}1"}
    assert talk.probes == ["old"]


def test_a_4_27_streamer_that_reconnects_replaces_a_silent_one() -> None:
    talk = Conversation(Rules(legacy_streamers=True))
    talk.streamer("old", identity=HOST)
    talk.streamer("new", identity=HOST)
    talk.pass_time(PROBE_SECONDS)
    assert ids(talk) == {"new": DEFAULT_ENDPOINT_ID}
    assert talk.kinds("new") == ["config"]
