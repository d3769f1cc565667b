"""The session layer: the counts of both sides agree, and nothing is lost or repeated by a resume."""

from pixelfleet.protocol.messages import Message
from pixelfleet_cli.loadtest.core.line import Line

SESSION: Message = {"type": "session", "token": "t", "resumeSeconds": 30.0, "reloadSeconds": 5.0}


def playing() -> Line:
    """Return a line after `session`, `config`, a message of the player, and an offer."""
    line = Line()
    line.query()
    line.take(SESSION)
    line.take({"type": "config"})
    line.sent({"type": "listStreamers"})
    line.take({"type": "offer"})
    return line


def test_the_first_dial_announces_that_the_player_can_resume() -> None:
    assert Line().query() == {"resume": "1"}


def test_a_server_without_resume_gives_no_token() -> None:
    line = Line()
    line.take({"type": "config"})
    assert not line.can_return
    assert line.query() == {"resume": "1"}


def test_only_messages_after_the_session_message_count() -> None:
    line = Line()
    line.take({"type": "matchmaker", "queued": True})
    line.take(SESSION)
    line.take({"type": "config"})
    line.take({"type": "ping"})
    line.take({"type": "pong"})
    assert line.query() == {"resume": "t", "received": "1"}


def test_a_resumed_line_sends_again_what_the_server_has_not_received() -> None:
    line = playing()
    line.sent({"type": "answer"})
    assert line.query() == {"resume": "t", "received": "2"}
    again = line.take({"type": "session", "resumed": True, "received": 1})
    assert again == [{"type": "answer"}]
    assert line.resumed


def test_acknowledged_messages_are_forgotten() -> None:
    line = playing()
    line.take({"type": "pong", "received": 1})
    assert line.take({"type": "session", "resumed": True, "received": 1}) == []


def test_a_ping_acknowledges_what_was_received() -> None:
    assert playing().ping(7) == {"type": "ping", "time": 7, "received": 2}


def test_lost_messages_need_a_new_negotiation_that_counts_from_zero() -> None:
    line = playing()
    line.must_negotiate = True
    assert line.query() == {"resume": "t", "fresh": "1"}
    line.take({**SESSION, "token": "u"})
    line.take({"type": "config"})
    assert line.query() == {"resume": "u", "received": "1"}


def test_a_waiting_player_keeps_its_place_without_counting() -> None:
    line = Line()
    line.take({"type": "session", "token": "w", "resumeSeconds": 30})
    assert line.query() == {"resume": "w"}


def test_an_ended_session_is_forgotten() -> None:
    line = playing()
    line.end()
    assert line.query() == {"resume": "1"}


def test_values_of_wrong_types_change_nothing() -> None:
    line = playing()
    line.take({"type": "pong", "received": True})
    line.take({"type": "session", "token": 7})
    line.take({"type": "session", "resumed": True, "received": "x"})
    assert line.query() == {"resume": "t", "received": "2"}
