"""Occupied slots and the admission of players."""

import pytest

from pixelfleet.protocol.dialects import Dialect
from signalserver.core.roster import Admission, Peer, Role, Source, Subscriber
from signalserver.core.sessions import MAX_REFUSED, REFUSED_SECONDS, Sessions


def player(number: int, admission: Admission | None = None, subscribed_to: str | None = None) -> Subscriber[int]:
    made = Subscriber(Peer(number, Role.PLAYER, 0.0), str(number), admission)
    if subscribed_to is not None:
        made.subscribed_to = Source(Peer(0, Role.STREAMER, 0.0), Dialect.MODERN, endpoint_id=subscribed_to)
    return made


def session(name: str, *, spectator: bool = False, endpoint: str = "cam") -> Admission:
    return Admission(name, endpoint, "game", spectator=spectator)


@pytest.mark.parametrize(("capacity", "held", "admitted"), [(1, 0, True), (1, 1, False), (2, 1, True), (0, 50, True)])
def test_a_streamer_takes_as_many_sessions_as_it_has_slots(capacity: int, held: int, *, admitted: bool) -> None:
    sessions = Sessions[int](capacity)
    sessions.update(player(number, session(f"s{number}")) for number in range(held))
    assert sessions.admits(session("new")) is admitted
    assert sessions.admits(session("new", endpoint="other"))


def test_a_present_session_is_not_admitted_again() -> None:
    sessions = Sessions[int](5)
    sessions.update([player(1, session("a")), player(2, session("b", spectator=True))])
    assert not sessions.admits(session("a"))
    assert not sessions.admits(session("b", spectator=True))


def test_a_spectator_needs_and_occupies_no_slot() -> None:
    sessions = Sessions[int](1)
    sessions.update([player(1, session("a", spectator=True))])
    assert sessions.admits(session("b"))
    sessions.update([player(1, session("a", spectator=True)), player(2, session("b"))])
    assert sessions.admits(session("c", spectator=True))
    assert (sessions.by_streamer["cam"].sessions, sessions.by_streamer["cam"].spectators) == (["b"], ["a"])


def test_a_player_without_a_session_occupies_a_slot_when_subscribed() -> None:
    sessions = Sessions[int](1)
    sessions.update([player(1)])
    assert sessions.admits(session("a"))
    sessions.update([player(1, subscribed_to="cam")])
    assert not sessions.admits(session("a"))


def test_an_admitted_player_that_is_not_in_the_roster_occupies_a_slot() -> None:
    sessions = Sessions[int](1)
    sessions.update([])
    sessions.add_admitted([None, session("a")])
    assert not sessions.admits(session("b"))


def test_an_ended_session_is_reported_until_the_store_accepts_it() -> None:
    sessions = Sessions[int](1)
    sessions.update([player(1, session("a"))])
    assert sessions.ended() == ()
    sessions.update([])
    assert sessions.ended() == ("a",)
    sessions.reported(["a"])
    assert sessions.ended() == ()


def test_a_session_whose_player_is_turned_away_is_reported_as_ended() -> None:
    sessions = Sessions[int](1)
    sessions.expect("turned away")
    sessions.update([])
    assert sessions.ended() == ("turned away",)


def test_an_ended_session_is_refused_for_a_time() -> None:
    sessions = Sessions[int](1)
    sessions.refuse("over", 100.0)
    assert sessions.refuses("over", 100.0 + REFUSED_SECONDS - 1)
    assert not sessions.refuses("over", 100.0 + REFUSED_SECONDS)
    assert not sessions.refuses("other", 100.0)


def test_only_a_bounded_number_of_ended_sessions_is_remembered() -> None:
    sessions = Sessions[int](1)
    for number in range(MAX_REFUSED + 1):
        sessions.refuse(str(number), 0.0)
    assert not sessions.refuses("0", 1.0)
    assert sessions.refuses("1", 1.0)
    sessions.refuse("later", REFUSED_SECONDS)
    assert len(sessions._refused) == 1
