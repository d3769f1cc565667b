"""Several people in one session: who enters, what each may do, and what the host decides."""

from dataclasses import replace
from typing import Any

import pytest

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.people import Invite
from signalserver.core.people import NO_ROOM, NO_SESSION, NOT_HOST, OFFERS_INPUT
from signalserver.core.roster import Admission
from signalserver.core.session_time import Limit, SessionRules
from signalserver.core.state import Rules
from tests.unit.signalserver.core.conversation import SDP, Conversation

HOST = Admission("h" * 32, "cam", "game")
MEDIA = f"{SDP}m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=sendonly\r\n"
WITH_DATA = f"{MEDIA}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"


def invited(name: str, role: str = "guest", *, invite_id: str = "", host: str = HOST.session_id) -> Admission:
    invite = Invite(session=host, role=role, app="game", name=name.title(), id=invite_id or f"invite-{name}")  # type: ignore[arg-type]
    return Admission(f"{name:0<32}", "cam", "game", spectator=role == "spectator", invite=invite, shares=True)


def watching() -> Admission:
    return Admission("w" * 32, "cam", "game", spectator=True)


class Session(Conversation):
    """A streamer, and a host that plays and has asked for the people."""

    def __init__(self, rules: Rules | None = None) -> None:
        super().__init__(rules)
        self.streamer("s", "cam")
        self.joined("host", HOST)

    def joined(self, key: str, admission: Admission) -> str:
        """Connect a page that asks for the people, subscribes and answers the offer of the streamer."""
        self.arrive(key, admission)
        if key not in self.closed:
            self.send(key, "people")
            self.send(key, "subscribe", streamerId="game")
            self.negotiate(key)
        return key

    def negotiate(self, key: str) -> None:
        self.send("s", "offer", sdp=MEDIA, playerId=self.id_of(key))
        self.send(key, "answer", sdp=SDP)

    def id_of(self, key: str) -> str:
        return next(player.player_id for player in self.switchboard.players() if player.peer.key == key)

    def people(self, key: str) -> dict[str, Any]:
        """Return the last `people` message to a page since the last call."""
        return [message for message in self.receive(key) if message["type"] == "people"][-1]

    def announced(self) -> list[tuple[str, str, object]]:
        """Return what the streamer was told about its players since the last call."""
        kinds = ("playerConnected", "playerDisconnected")
        return [
            (message["type"], message["playerId"], message.get("dataChannel"))
            for message in self.receive("s")
            if message["type"] in kinds
        ]


def test_a_spectator_gets_no_data_channel_and_may_not_open_one() -> None:
    talk = Session()
    talk.announced()
    talk.page("eve", watching())
    talk.send("eve", "subscribe", streamerId="game")
    assert talk.announced() == [("playerConnected", "102", False)]
    for kind, fields in (("offer", {"sdp": WITH_DATA}), ("dataChannelRequest", {}), ("peerDataChannelsReady", {})):
        talk.send("eve", kind, **fields)
    assert [(drop.kind, drop.why) for drop in talk.drops] == [
        (kind, OFFERS_INPUT) for kind in ("offer", "dataChannelRequest", "peerDataChannelsReady")
    ]
    assert talk.receive("s") == []
    talk.send("eve", "control", action="quit")
    assert talk.calls[0].watches


def test_an_offer_of_a_spectator_opens_nothing_even_without_a_subscription() -> None:
    talk = Session()
    talk.announced()
    talk.player("eve", admission=watching(), offers=True)
    talk.send("eve", "offer", sdp=WITH_DATA)
    assert talk.announced() == []
    talk.send("eve", "listStreamers")
    talk.send("eve", "subscribe", streamerId="game")
    assert talk.announced() == [("playerConnected", "102", False)]


def test_a_streamer_of_4_27_has_no_spectators() -> None:
    talk = Conversation(Rules(legacy_streamers=True))
    talk.streamer("s")
    talk.player("eve", admission=watching())
    assert talk.closed["eve"][0] is close_codes.NOT_ALLOWED


def test_a_streamer_that_offers_a_spectator_a_data_channel_is_reported_and_marked() -> None:
    talk = Session()
    talk.page("eve", watching())
    talk.send("eve", "subscribe", streamerId="game")
    talk.send("s", "offer", sdp=MEDIA, playerId="102")
    assert (talk.offered_input, talk.switchboard.streamers()[0].gives_input) == ([], False)
    talk.send("s", "offer", sdp=WITH_DATA, playerId="102")
    talk.send("s", "offer", sdp=WITH_DATA, playerId="101")
    assert (talk.offered_input, talk.switchboard.streamers()[0].gives_input) == ([("eve", "cam")], True)


def test_a_streamer_stays_marked_that_offers_it_again() -> None:
    talk = Session()
    talk.page("eve", watching())
    talk.send("eve", "subscribe", streamerId="game")
    for _ in range(2):
        talk.send("s", "offer", sdp=WITH_DATA, playerId="102")
    assert (talk.offered_input, talk.switchboard.streamers()[0].gives_input) == ([("eve", "cam")] * 2, True)


def test_only_pages_that_ask_are_sent_the_people() -> None:
    talk = Session()
    talk.page("ada", invited("ada"))
    assert talk.kinds("ada") == ["config"]
    own = {"id": 1, "role": "host"}
    assert talk.people("host") == {
        "type": "people",
        "self": 1,
        "mayInvite": True,
        "limit": 8,
        "people": [own, {"id": 2, "role": "guest", "name": "Ada"}],
    }
    talk.send("ada", "people")
    assert (talk.people("ada")["self"], talk.receive("host")) == (2, [])


def test_a_host_alone_is_sent_itself_and_a_spectator_without_an_invite_too() -> None:
    talk = Session()
    assert talk.people("host")["people"] == [{"id": 1, "role": "host"}]
    talk.joined("eve", watching())
    shown = talk.people("eve")
    assert (shown["mayInvite"], shown["people"]) == (False, [{"id": 1, "role": "spectator"}])


def test_a_player_without_a_session_gets_no_answer() -> None:
    talk = Conversation()
    talk.streamer("s", "cam")
    talk.player("p")
    talk.send("p", "people")
    talk.send("p", "invite", role="guest", seconds=60)
    assert (talk.receive("p"), [drop.why for drop in talk.drops]) == ([], [NOT_HOST])


@pytest.mark.parametrize("role", ["guest", "spectator"])
def test_a_host_requests_invites_up_to_a_number_and_a_new_negotiation_gives_no_more(role: str) -> None:
    talk = Session(Rules(max_invites=2))
    talk.send("host", "invite", role=role, seconds=60, once=True, name="Ada")
    assert talk.invites[0].invite == Invite(session=HOST.session_id, role=role, app="game", name="Ada", once=True)  # type: ignore[arg-type]
    assert (talk.invites[0].host, talk.invites[0].seconds) == ("host", 60)
    talk.send("host", "invite", role=role, seconds=60)
    former = talk.switchboard.peer("host")
    assert former is not None
    talk.leave("host", continues=True)
    talk.page("again", HOST, former.subscriber)
    talk.send("again", "invite", role=role, seconds=60)
    assert len(talk.invites) == 2
    assert "error" in talk.receive("again")[-1]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"role": "host", "seconds": 60},
        {"role": "guest", "seconds": 0},
        {"role": "guest", "seconds": 10**9},
        {"role": "guest", "seconds": 60, "name": "n" * 41},
    ],
)
def test_an_invalid_request_for_an_invite_is_dropped(fields: dict[str, Any]) -> None:
    talk = Session()
    talk.send("host", "invite", **fields)
    assert (talk.invites, [drop.kind for drop in talk.drops]) == ([], ["invite"])


@pytest.mark.parametrize("kind", ["invite", "kick", "mute", "handOver"])
def test_only_the_host_decides(kind: str) -> None:
    talk = Session()
    for key, admission in (("ada", invited("ada")), ("bob", invited("bob", "spectator")), ("eve", watching())):
        talk.joined(key, admission)
        talk.send(key, kind, person=1, muted=True, role="guest", seconds=60)
    assert [drop.why for drop in talk.drops] == [NOT_HOST] * 3
    assert (talk.invites, talk.closed) == ([], {})


@pytest.mark.parametrize("kind", ["kick", "mute", "handOver"])
@pytest.mark.parametrize("person", [0, 1, 7, None])
def test_a_decision_about_nobody_or_about_the_host_is_dropped(kind: str, person: int | None) -> None:
    talk = Session()
    talk.joined("ada", invited("ada"))
    talk.send("host", kind, muted=True, **({} if person is None else {"person": person}))
    assert (len(talk.drops), talk.closed) == (1, {})


def test_a_session_has_room_for_a_number_of_people() -> None:
    talk = Session(Rules(max_people=2))
    talk.joined("ada", invited("ada"))
    talk.joined("bob", invited("bob"))
    assert talk.closed["bob"] == (close_codes.SESSION_FULL, NO_ROOM)
    assert talk.kinds("bob")[-1] == "subscribeFailed"
    talk.leave("ada")
    talk.joined("cyd", invited("cyd"))
    assert "cyd" not in talk.closed


def test_nobody_enters_a_session_that_is_not_there_or_on_another_streamer() -> None:
    talk = Session()
    talk.joined("ada", invited("ada", host="x" * 32))
    elsewhere = Admission("b" * 32, "other", "game", invite=invited("bob").invite, shares=True)
    talk.arrive("bob", elsewhere)
    talk.joined("eve", watching())
    talk.arrive("cyd", invited("cyd", host=watching().session_id))
    assert {key: why for key, (_, why) in talk.closed.items()} == dict.fromkeys(("ada", "bob", "cyd"), NO_SESSION)


def test_a_removed_person_is_closed_and_its_invite_admits_nobody() -> None:
    talk = Session()
    talk.joined("ada", invited("ada", invite_id="shared"))
    talk.joined("bob", invited("bob", invite_id="shared"))
    talk.send("host", "kick", person=2)
    assert talk.closed["ada"][0] is close_codes.KICKED
    talk.joined("cyd", invited("cyd", invite_id="shared"))
    assert talk.closed["cyd"][0] is close_codes.KICKED
    assert "bob" not in talk.closed
    talk.joined("dot", invited("dot"))
    assert [person["id"] for person in talk.people("host")["people"]] == [1, 3, 4]


def test_a_muted_guest_negotiates_again_without_a_data_channel_and_back() -> None:
    talk = Session()
    talk.joined("ada", invited("ada"))
    talk.announced(), talk.receive("ada")
    talk.send("host", "mute", person=2, muted=True)
    assert talk.announced() == [("playerDisconnected", "102", None), ("playerConnected", "103", False)]
    talk.send("ada", "offer", sdp=WITH_DATA)
    assert talk.drops[-1].why == OFFERS_INPUT
    talk.negotiate("ada")
    assert talk.kinds("ada") == ["config", "people", "offer"]
    talk.send("host", "mute", person=2, muted=True)
    assert talk.announced() == []
    talk.send("host", "mute", person=2, muted=False)
    assert talk.announced() == [("playerDisconnected", "103", None), ("playerConnected", "104", True)]
    talk.send("s", "iceCandidate", playerId="103", candidate={"candidate": "late"})
    assert talk.drops[-1].sender == "s"


def test_a_guest_that_is_muted_in_a_negotiation_begins_anew_after_its_answer() -> None:
    talk = Session()
    talk.page("ada", invited("ada"))
    talk.send("ada", "subscribe", streamerId="game")
    talk.announced()
    talk.send("host", "mute", person=2, muted=True)
    assert talk.announced() == []
    talk.negotiate("ada")
    assert talk.announced() == [("playerDisconnected", "102", None), ("playerConnected", "103", False)]


def test_a_guest_that_is_muted_before_it_subscribes_is_announced_without_a_data_channel() -> None:
    talk = Session()
    talk.page("ada", invited("ada"))
    talk.announced()
    talk.send("host", "mute", person=2, muted=True)
    talk.send("ada", "subscribe", streamerId="game")
    assert talk.announced() == [("playerConnected", "102", False)]


def test_a_muted_guest_stays_muted_in_a_new_negotiation_of_its_page() -> None:
    talk = Session()
    talk.joined("ada", invited("ada"))
    talk.send("host", "mute", person=2, muted=True)
    talk.negotiate("ada")
    former = talk.switchboard.peer("ada")
    assert former is not None
    talk.leave("ada", continues=True)
    talk.page("again", invited("ada"), former.subscriber)
    talk.announced()
    talk.send("again", "subscribe", streamerId="game")
    assert talk.announced() == [("playerConnected", "104", False)]
    assert [person.get("muted") for person in talk.people("host")["people"]] == [None, True]


def test_a_spectator_cannot_be_muted() -> None:
    talk = Session()
    talk.joined("bob", invited("bob", "spectator"))
    talk.send("host", "mute", person=2, muted=False)
    assert len(talk.drops) == 1
    assert talk.switchboard.players()[1].watches


def test_a_handover_exchanges_the_roles_the_slots_and_the_times() -> None:
    talk = Session(Rules(session=SessionRules(session_seconds=600, warn_seconds=0)))
    talk.pass_time(300)
    talk.joined("bob", invited("bob", "spectator"))
    talk.announced()
    talk.send("host", "handOver", person=2)
    assert talk.announced() == [("playerDisconnected", "102", None), ("playerConnected", "103", True)]
    assert [(player.shares, player.watches) for player in talk.switchboard.players()] == [(True, False), (False, False)]
    assert [person["role"] for person in talk.people("host")["people"]] == ["guest", "host"]
    assert talk.people("bob")["mayInvite"]
    talk.pass_time(300)
    assert talk.closed["bob"][0] is close_codes.TIME_OVER
    assert talk.closed["host"][0] is close_codes.SESSION_OVER


def test_a_handover_does_not_exchange_the_limits_of_the_persons() -> None:
    talk = Session()
    talk.arrive("ada", replace(invited("ada"), seconds=600))
    talk.pass_time(100)
    talk.joined("bob", invited("bob", invite_id="second"))
    talk.send("host", "handOver", person=2)
    talk.send("ada", "handOver", person=3)
    talk.pass_time(499)
    assert talk.closed == {}
    talk.pass_time(2)
    assert talk.limits == [("ada", Limit.TIME)], "the guest that it is now, not the host"
    assert list(talk.closed) == ["ada"]


def test_the_former_host_may_leave_after_a_handover_and_its_invites_are_void() -> None:
    talk = Session()
    talk.joined("ada", invited("ada"))
    talk.send("host", "handOver", person=2)
    talk.joined("bob", invited("bob"))
    talk.leave("host")
    assert talk.closed == {}
    talk.joined("cyd", invited("cyd"))
    assert talk.closed["cyd"][0] is close_codes.SESSION_OVER
    talk.joined("dot", invited("dot", host=invited("ada").session_id))
    assert "dot" not in talk.closed


def test_nothing_is_handed_over_to_a_person_that_is_away() -> None:
    talk = Session()
    talk.joined("ada", invited("ada"))
    talk.away("ada", 30)
    assert talk.people("host")["people"][1]["away"]
    talk.send("host", "handOver", person=2)
    assert len(talk.drops) == 1
    talk.resumed("ada")
    assert "away" not in talk.people("host")["people"][1]
    talk.send("host", "handOver", person=2)
    assert [person["role"] for person in talk.people("host")["people"]] == ["guest", "host"]


def test_the_session_of_everybody_ends_when_the_host_leaves() -> None:
    talk = Session()
    talk.joined("ada", invited("ada"))
    talk.joined("bob", invited("bob", "spectator"))
    talk.joined("eve", watching())
    talk.leave("host")
    assert {key: code for key, (code, _) in talk.closed.items()} == dict.fromkeys(
        ("ada", "bob"), close_codes.SESSION_OVER
    )
    talk.joined("new", Admission("n" * 32, "cam", "game"))
    assert [person["id"] for person in talk.people("new")["people"]] == [1]


def test_people_stay_while_the_host_is_away_and_when_its_page_negotiates_again() -> None:
    talk = Session()
    talk.joined("ada", invited("ada"))
    talk.away("host", 30)
    talk.pass_time(29)
    former = talk.switchboard.peer("host")
    assert former is not None
    talk.leave("host", continues=True)
    talk.page("again", HOST, former.subscriber)
    assert talk.closed == {}
    talk.away("again", 30)
    talk.pass_time(30)
    assert talk.closed["ada"][0] is close_codes.SESSION_OVER
