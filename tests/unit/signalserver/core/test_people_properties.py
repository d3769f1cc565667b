"""Invariants of roles and capacity after any sequence of arrivals, departures, absences and decisions."""

from typing import Any

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.people import Invite
from signalserver.core.outputs import Close, Output, PersonRemoved, Send
from signalserver.core.parties import Party
from signalserver.core.roster import Admission, Subscriber
from signalserver.core.sessions import Sessions
from signalserver.core.state import Rules
from signalserver.core.switchboard import Switchboard
from tests.unit.signalserver.core.conversation import CONFIG

MAX_PEOPLE = 3
PAGES = st.integers(0, 30)
PERSONS = st.integers(1, 8)


class PeopleMachine(RuleBasedStateMachine):
    """Two sessions on one streamer, and people who enter them; pages and the streamer answer in any order."""

    @initialize(capacity=st.sampled_from([1, 2]), take_slots=st.booleans())
    def begin(self, capacity: int, take_slots: bool) -> None:
        self.switchboard: Switchboard[str] = Switchboard(Rules(max_people=MAX_PEOPLE, max_bad_messages=10**6))
        self.sessions: Sessions[str] = Sessions(capacity)
        self.capacity, self.take_slots = capacity, take_slots
        self.now, self.number = 0.0, 0
        self.channels: dict[str, bool] = {}
        """Whether each player of the streamer has a data channel, by player id."""
        self.removed: set[tuple[Party, str]] = set()
        """The invites of removed people, each with the party."""
        self._do(self.switchboard.streamer_connected("s", 0.0, CONFIG))
        self._send("s", "endpointId", id="cam", protocolVersion="1.3.0")

    def _do(self, outputs: list[Output[str]]) -> None:
        for output in outputs:
            if isinstance(output, Send) and output.to == "s":
                self._told(orjson.loads(output.data))
            elif isinstance(output, PersonRemoved):
                self._do(self.switchboard.disconnect(output.person, self._kicked(output.person)))
            elif isinstance(output, Close):
                self._do(self.switchboard.left(output.to))

    def _kicked(self, key: str) -> CloseCode:
        peer = self.switchboard.peer(key)
        assert peer is not None
        assert peer.subscriber is not None
        assert peer.subscriber.admission is not None
        party = self._party(peer.subscriber)
        assert party is not None
        if (invite := peer.subscriber.admission.invite) is not None:  # the first host, now a guest, has none
            self.removed.add((party, invite.id))
        return close_codes.KICKED

    def _told(self, message: dict[str, Any]) -> None:
        if message["type"] == "playerConnected":
            assert message["playerId"] not in self.channels
            self.channels[message["playerId"]] = message["dataChannel"]
        elif message["type"] == "playerDisconnected":
            del self.channels[message["playerId"]]

    def _send(self, key: str, kind: str, **fields: object) -> None:
        self._do(self.switchboard.received(key, orjson.dumps({"type": kind, **fields}), self.now))

    def _arrive(self, admission: Admission, former: Subscriber[str] | None = None) -> None:
        if former is None:
            self.sessions.update(self.switchboard.players())
            if not self.sessions.admits(admission):
                return
        self.number += 1
        key = f"p{self.number}"
        self._do(self.switchboard.player_connected(key, self.now, CONFIG, admission=admission, former=former))
        for kind, fields in (("people", {}), ("subscribe", {"streamerId": "game"})):
            self._send(key, kind, **fields)

    def _page(self, page: int) -> Subscriber[str]:
        players = self.switchboard.players()
        return players[page % len(players)]

    def _session(self, player: Subscriber[str]) -> str:
        assert player.admission is not None
        return player.admission.session_id

    def _party(self, player: Subscriber[str]) -> Party | None:
        session = self._session(player)
        return next((party for party in self.switchboard.parties() if session in party.members), None)

    # -- what happens -------------------------------------------------------------------------------

    @rule()
    def a_host_arrives(self) -> None:
        self._arrive(Admission(f"host-{self.number}", "cam", "game"))

    @precondition(lambda self: self.switchboard.players())
    @rule(page=PAGES, role=st.sampled_from(["guest", "spectator"]), invite_id=st.sampled_from(["a", "b", ""]))
    def someone_enters(self, page: int, role: Any, invite_id: str) -> None:
        party, admission = self._party(self._page(page)), self._page(page).admission
        assert admission is not None
        invite_id = invite_id or f"own-{self.number}"
        invite = Invite(session=admission.session_id, role=role, app="game", id=invite_id)
        shares = role == "spectator" or not self.take_slots
        admission = Admission(f"joins-{self.number}", "cam", "game", role == "spectator", invite=invite, shares=shares)
        before = len(self.switchboard.players())
        self._arrive(admission)
        assert len(self.switchboard.players()) == before or (party, invite_id) not in self.removed

    @precondition(lambda self: self.switchboard.players())
    @rule(page=PAGES, kind=st.sampled_from(["kick", "handOver", "mute"]), person=PERSONS, muted=st.booleans())
    def someone_decides(self, page: int, kind: str, person: int, muted: bool) -> None:
        self._send(self._page(page).peer.key, kind, person=person, muted=muted)

    @precondition(lambda self: self.switchboard.parties())
    @rule(page=PAGES, kind=st.sampled_from(["kick", "handOver", "mute", "mute"]), muted=st.booleans())
    def the_host_decides(self, page: int, kind: str, muted: bool) -> None:
        parties = self.switchboard.parties()
        party = parties[page % len(parties)]
        host = next(each for each in self.switchboard.players() if self._session(each) == party.host)
        members = list(party.members.values())
        self._send(host.peer.key, kind, person=members[page % len(members)].number, muted=muted)

    @precondition(lambda self: self.switchboard.players())
    @rule(page=PAGES)
    def a_page_answers(self, page: int) -> None:
        player = self._page(page)
        if player.subscribed_to is not None:
            self._send("s", "offer", sdp="v=0\r\n", playerId=player.player_id)
            self._send(player.peer.key, "answer", sdp="v=0\r\n")

    @precondition(lambda self: self.switchboard.players())
    @rule(page=PAGES)
    def a_page_leaves(self, page: int) -> None:
        self._do(self.switchboard.left(self._page(page).peer.key))

    @precondition(lambda self: self.switchboard.players())
    @rule(page=PAGES)
    def a_page_negotiates_again(self, page: int) -> None:
        player = self._page(page)
        assert player.admission is not None
        self._do(self.switchboard.left(player.peer.key, continues=True))
        self._arrive(player.admission, player)

    @precondition(lambda self: self.switchboard.players())
    @rule(page=PAGES, seconds=st.integers(1, 5))
    def a_page_is_away(self, page: int, seconds: int) -> None:
        self._do(self.switchboard.away(self._page(page).peer.key, self.now, seconds))

    @rule(seconds=st.integers(1, 5))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self._do(self.switchboard.tick(self.now))

    # -- what holds ---------------------------------------------------------------------------------

    @invariant()
    def the_slots_suffice(self) -> None:
        self.sessions.update(self.switchboard.players())
        present = self.sessions.by_streamer.get("cam")
        assert present is None or len(present.sessions) <= self.capacity

    @invariant()
    def the_streamer_gives_input_to_nobody_who_may_not_send_it(self) -> None:
        players = {player.player_id: player for player in self.switchboard.players() if player.subscribed_to}
        assert set(players) == set(self.channels)
        for player_id, channel in self.channels.items():
            player = players[player_id]
            # A player that is muted in a negotiation has no connection yet; it begins anew with its answer.
            assert channel is not player.watches or player.awaits_answer

    @invariant()
    def each_party_has_one_host_who_is_present_and_not_too_many_people(self) -> None:
        present = {each.admission.session_id: each for each in self.switchboard.players() if each.admission}
        for party in self.switchboard.parties():
            assert set(party.members) <= set(present)
            assert 1 <= len(party.members) <= MAX_PEOPLE
            assert [member.standing.value for member in party.members.values()].count("host") == 1
            for session_id, member in party.members.items():
                assert (member.watches, member.shares) == (present[session_id].watches, present[session_id].shares)


TestPeople = PeopleMachine.TestCase
TestPeople.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
