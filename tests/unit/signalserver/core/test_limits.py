"""The limits of sessions: warnings, ends, and what moves them."""

import pytest

from pixelfleet.protocol import close_codes
from signalserver.core.roster import Admission
from signalserver.core.session_time import Limit, SessionRules
from signalserver.core.state import Rules
from tests.unit.signalserver.core.conversation import Conversation

LEASED = Admission("session-1", "cam", "game")
AGAIN = {"type": "sessionLimit"}


def limited(**rules: object) -> Conversation:
    talk = Conversation(Rules(session=SessionRules(**rules)))  # type: ignore[arg-type]  # of a test's own keywords
    talk.streamer("cam", "cam")
    return talk


def warning(limit: str, remaining: float) -> dict[str, object]:
    return {"type": "sessionLimit", "limit": limit, "remaining": remaining}


def test_without_limits_a_page_gets_no_message_and_plays_on() -> None:
    talk = limited()
    talk.page("page", LEASED)
    assert talk.kinds("page") == ["config"]
    talk.pass_time(1e6)
    assert (talk.receive("page"), talk.closed) == ([], {})


def test_the_longest_session_is_warned_of_and_ends() -> None:
    talk = limited(session_seconds=600, warn_seconds=60)
    talk.page("page", LEASED)
    assert talk.kinds("page") == ["config"]  # nothing to report
    talk.pass_time(539)
    assert talk.receive("page") == []
    talk.pass_time(1)
    assert talk.receive("page") == [warning("time", 60.0)]
    talk.pass_time(59.9)
    assert (talk.receive("page"), talk.closed) == ([], {})
    talk.pass_time(0.1)
    assert talk.closed["page"] == (close_codes.TIME_OVER, close_codes.TIME_OVER.reason)
    assert talk.receive_one("page")["type"] == "subscribeFailed"
    assert talk.limits == [("page", Limit.TIME)]


def test_input_ends_the_warning_and_the_idle_time_begins_anew() -> None:
    talk = limited(idle_seconds=300, warn_seconds=60)
    talk.page("page", LEASED)
    assert talk.receive("page")[1] == {"type": "sessionLimit", "reportSeconds": 10}
    talk.pass_time(250)
    assert talk.receive("page") == [warning("idle", 50.0)]
    talk.send("page", "activity", idle=2)
    assert talk.receive("page") == [AGAIN]
    talk.pass_time(297.9)
    assert talk.closed == {}
    talk.pass_time(0.1)
    assert talk.closed["page"][0] is close_codes.IDLE


def test_a_report_of_an_earlier_input_changes_nothing() -> None:
    talk = limited(idle_seconds=300)
    talk.page("page", LEASED)
    talk.pass_time(100)
    talk.send("page", "activity", idle=5)
    talk.send("page", "activity", idle=80)
    talk.send("page", "activity", idle=1e300)
    talk.pass_time(294.9)
    assert talk.closed == {}
    talk.pass_time(0.1)
    assert "page" in talk.closed


def test_a_wait_before_the_session_is_no_idle_time() -> None:
    talk = limited(idle_seconds=300)
    talk.page("page", LEASED)
    talk.send("page", "activity", idle=10_000)
    talk.pass_time(299)
    assert talk.closed == {}


def test_reports_are_not_forwarded_to_the_streamer() -> None:
    talk = limited(idle_seconds=300)
    talk.page("page", LEASED)
    talk.send("page", "subscribe", streamerId="game")
    talk.receive("cam")
    talk.send("page", "activity", idle=0, hidden=True)
    assert (talk.receive("cam"), talk.drops) == ([], [])


@pytest.mark.parametrize("fields", [{}, {"idle": -1}, {"idle": "0"}, {"idle": 0, "hidden": 1}])
def test_an_invalid_report_is_dropped(fields: dict[str, object]) -> None:
    talk = limited(idle_seconds=300)
    talk.page("page", LEASED)
    talk.send("page", "activity", **fields)
    assert len(talk.drops) == 1


@pytest.mark.parametrize(("silent_is_idle", "ends"), [(True, True), (False, False)])
def test_a_page_that_does_not_report_is_idle_unless_the_setting_allows_it(silent_is_idle: bool, ends: bool) -> None:
    talk = limited(idle_seconds=300, silent_is_idle=silent_is_idle)
    talk.player("stock", admission=LEASED)
    talk.pass_time(299)
    assert (talk.receive("stock"), talk.closed) == ([], {})
    talk.pass_time(1)
    assert ("stock" in talk.closed) is ends
    assert talk.kinds("stock") == (["subscribeFailed"] if ends else [])


def test_a_hidden_tab_pauses_the_limits_for_the_allowed_time() -> None:
    talk = limited(session_seconds=600, idle_seconds=300, warn_seconds=10, hidden_seconds=100)
    talk.page("page", LEASED)
    talk.pass_time(10)
    talk.send("page", "activity", idle=0, hidden=True)
    talk.pass_time(399)  # 100 of them do not count
    assert talk.closed == {}
    talk.pass_time(1)
    assert talk.closed["page"][0] is close_codes.IDLE


def test_hidden_times_add_up() -> None:
    talk = limited(session_seconds=600, warn_seconds=0, hidden_seconds=100)
    talk.page("page", LEASED)
    for _ in range(3):
        talk.send("page", "activity", idle=0, hidden=True)
        talk.pass_time(40)
        talk.send("page", "activity", idle=0)
    talk.pass_time(579.9)
    assert talk.closed == {}
    talk.pass_time(0.1)
    assert talk.closed["page"][0] is close_codes.TIME_OVER


def test_a_warning_is_not_repeated_while_the_time_is_paused() -> None:
    talk = limited(session_seconds=100, warn_seconds=60, hidden_seconds=50)
    talk.page("page", LEASED)
    talk.pass_time(50)
    talk.receive("page")
    talk.send("page", "activity", idle=0, hidden=True)
    for _ in range(30):
        talk.pass_time(1)
    assert talk.receive("page") == []
    talk.send("page", "activity", idle=0)
    assert talk.receive("page") == [warning("time", 50.0)]


def test_a_page_is_warned_again_when_the_time_in_a_hidden_tab_counts_again() -> None:
    talk = limited(session_seconds=100, warn_seconds=60, hidden_seconds=20)
    talk.page("page", LEASED)
    talk.pass_time(50)
    talk.receive("page")
    talk.send("page", "activity", idle=0, hidden=True)
    talk.pass_time(10)
    assert talk.receive("page") == []
    talk.pass_time(15)
    assert talk.receive("page") == [warning("time", 45.0)]


def test_an_extension_moves_the_end() -> None:
    talk = limited(session_seconds=100, idle_seconds=100, warn_seconds=30)
    talk.page("page", LEASED)
    talk.pass_time(80)
    talk.receive("page")
    talk.extend("page", 50)
    assert talk.receive("page") == [AGAIN]
    talk.pass_time(69.9)
    assert talk.closed == {}
    talk.pass_time(0.1)
    assert talk.closed["page"][0] is close_codes.TIME_OVER


def test_an_absence_counts_and_a_page_that_returns_gets_the_present_warning() -> None:
    talk = limited(session_seconds=100, warn_seconds=60)
    talk.page("page", LEASED)
    talk.receive("page")
    talk.away("page", 1000)
    talk.pass_time(50)
    talk.pass_time(10)
    talk.resumed("page")
    assert talk.receive("page") == [warning("time", 50.0), warning("time", 40.0)]
    talk.away("page", 1000)
    talk.pass_time(40)
    assert talk.closed["page"][0] is close_codes.TIME_OVER


def test_a_page_that_returns_after_its_warning_has_ended_is_told_so() -> None:
    talk = limited(session_seconds=100, warn_seconds=60)
    talk.page("page", LEASED)
    talk.away("page", 1000)
    talk.pass_time(50)
    talk.extend("page", 1000)
    talk.receive("page")
    talk.resumed("page")
    talk.pass_time(1)
    assert talk.receive("page") == []


def test_a_new_negotiation_continues_the_time_of_its_session() -> None:
    talk = limited(session_seconds=100, warn_seconds=60, hidden_seconds=50)
    former = talk.page("page", LEASED)
    talk.send("page", "activity", idle=0, hidden=True)
    talk.pass_time(10)
    talk.leave("page")
    talk.page("reloaded", LEASED, former)
    talk.pass_time(40)  # visible: the page has not reported otherwise
    assert talk.receive("reloaded")[-1] == warning("time", 60.0)
    talk.pass_time(60)
    assert talk.closed["reloaded"][0] is close_codes.TIME_OVER


def test_a_player_without_a_slot_has_no_limit() -> None:
    talk = limited(session_seconds=100)
    talk.player("page")
    talk.pass_time(1000)
    assert talk.closed == {}
    talk.send("page", "subscribe", streamerId="cam")
    talk.pass_time(99)
    assert talk.closed == {}
    talk.pass_time(1)
    assert talk.closed["page"][0] is close_codes.TIME_OVER


def test_only_the_session_of_a_player_can_be_extended() -> None:
    talk = limited(session_seconds=100)
    assert talk.switchboard.extend("cam", talk.now, 60.0) == []
    assert talk.switchboard.extend("nobody", talk.now, 60.0) == []


def test_the_rules_of_the_sessions_can_be_read() -> None:
    talk = limited(session_seconds=100)
    own = SessionRules(idle_seconds=50)
    page, other = talk.page("page", LEASED), talk.page("other", Admission("session-2", "cam", "game", rules=own))
    assert talk.switchboard.session_rules(page) == SessionRules(session_seconds=100)
    assert talk.switchboard.session_rules(other) == own


def test_a_session_may_have_limits_of_its_own() -> None:
    talk = limited(session_seconds=600, warn_seconds=0)
    own = Admission("session-2", "cam", "game", rules=SessionRules(session_seconds=30, warn_seconds=0))
    free = Admission("session-3", "cam", "game", rules=SessionRules())
    for key, admission in (("page", LEASED), ("short", own), ("free", free)):
        talk.page(key, admission)
    talk.pass_time(30)
    assert talk.limits == [("short", Limit.TIME)]
    talk.pass_time(570)
    assert talk.limits == [("short", Limit.TIME), ("page", Limit.TIME)]


def test_limits_of_a_session_hold_on_a_server_without_limits() -> None:
    talk = limited()
    own = SessionRules(idle_seconds=300, warn_seconds=60)
    talk.page("page", Admission("session-2", "cam", "game", rules=own))
    assert talk.receive("page")[1] == {"type": "sessionLimit", "reportSeconds": 10}
    talk.pass_time(300)
    assert talk.limits == [("page", Limit.IDLE)]


def test_another_page_is_recorded_as_warned_and_sent_nothing() -> None:
    talk = limited(session_seconds=600, warn_seconds=60)
    talk.player("epic", admission=LEASED)
    talk.receive("epic")
    talk.pass_time(540)
    assert [each.warned for each in talk.switchboard.players()] == [(Limit.TIME, talk.now + 60)]
    assert talk.receive("epic") == []
    talk.extend("epic", 600)
    assert [each.warned for each in talk.switchboard.players()] == [None]
    assert talk.receive("epic") == []


def test_the_limit_of_a_person_ends_its_session_and_that_of_no_other() -> None:
    talk = limited(warn_seconds=60)
    talk.page("page", Admission("session-1", "cam", "game", seconds=300))
    talk.page("other", Admission("session-2", "cam", "game"))
    talk.receive("page")
    talk.pass_time(240)
    assert talk.receive("page") == [warning("time", 60.0)]
    talk.extend("page", 600)
    talk.pass_time(60)
    assert talk.closed == {"page": (close_codes.TIME_OVER, close_codes.TIME_OVER.reason)}, "nothing extends it"


def test_the_shorter_of_two_limits_ends_a_session() -> None:
    talk = limited(session_seconds=100, warn_seconds=0)
    talk.page("page", Admission("session-1", "cam", "game", seconds=300))
    talk.pass_time(100)
    assert talk.closed["page"][0] is close_codes.TIME_OVER
