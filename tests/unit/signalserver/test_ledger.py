"""What a server knows about its sessions, from the connection to the end."""

import orjson
import pytest
from msgspec import structs

from pixelfleet.fleet.records import SessionFacts
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.people import Invite
from signalserver import ledger as ledger_module
from signalserver.core.roster import Admission
from signalserver.ledger import Ledger
from tests.unit.signalserver.hubs import make_hub
from tests.unit.signalserver.pages import make_server

ADA = Admission("ada-1", "cam", "game")


def reported(ledger: Ledger) -> dict[str, SessionFacts]:
    """Return the changes as the store accepts them."""
    changes = ledger.changes()
    ledger.reported(changes)
    return changes


async def test_a_page_s_reports_become_facts_of_its_session() -> None:
    made = make_hub()
    player = made.player(ADA)
    assert reported(made.hub.ledger) == {}
    frame = {"opened": 100, "matched": 600, "frame": 1500}
    for stats in ({"path": "reflexive"}, {"firstFrame": frame}, {"longestStall": 2.04, "codec": "VP9"}):
        player.send("stats", data=orjson.dumps(stats).decode())
    (facts,) = reported(made.hub.ledger).values()
    assert facts == SessionFacts(
        path="direct",
        first_frame_seconds={"page": 0.1, "match": 0.5, "picture": 0.9},
        longest_stall_seconds=2.0,
        codec="VP9",
    )
    player.send("stats", data='{"longestStall": 1.0}')
    assert reported(made.hub.ledger) == {}, "a shorter stall changes nothing"


@pytest.mark.parametrize(
    ("code", "ending", "by"),
    [
        (1000, "left", "player"),
        (1001, "closed", "player"),
        (1006, "lost", "player"),
        (4302, "timed_out", "player"),
        (4201, "left", "player"),  # of its own accord
        (4999, "left", "player"),
        (4203, "bad_messages", "server"),
        (4209, "time_over", "server"),
        (4210, "idle", "server"),
        (4005, "restarting", "server"),
        (4000, "streamer_left", "streamer"),
        (1011, "disconnected_by_streamer", "streamer"),
    ],
)
async def test_the_close_code_decides_why_and_by_whom_a_session_ended(code: int, ending: str, by: str) -> None:
    made = make_hub()
    made.player(ADA).leave(code)
    facts = reported(made.hub.ledger)["ada-1"]
    assert (facts.ending, facts.by, facts.code) == (ending, by, code)
    assert facts.played_seconds is not None


async def test_a_kicked_player_was_ended_by_an_operator() -> None:
    made = make_hub()
    player = made.player(ADA)
    made.hub.end_session("ada-1")
    assert list(made.hub.ledger.changes()) == ["ada-1"], "before the connection has ended"
    player.leave(close_codes.KICKED.code)
    facts = reported(made.hub.ledger)["ada-1"]
    assert (facts.ending, facts.by) == ("kicked", "operator")


async def test_a_removed_guest_was_ended_by_a_player() -> None:
    made = make_hub()
    made.streamer("cam")
    host = made.player(ADA)
    invite = Invite(session="ada-1", role="guest", app="game", id="invite-1")
    guest = made.player(Admission("bob-1", "cam", "game", invite=invite, shares=True))
    host.send("kick", person=2)
    assert guest.socket.closes == [(close_codes.KICKED.code, close_codes.KICKED.reason)]
    facts = reported(made.hub.ledger)["bob-1"]
    assert (facts.ending, facts.by) == ("kicked", "player"), "the host's page has ended it, and no operator"


async def test_a_session_without_a_token_keeps_its_facts_over_a_new_negotiation() -> None:
    server = make_server()
    page = server.arrive()
    assert page is not None
    while page.read() or page.link is None or page.link.deliver():
        pass
    first = server.player_of(page).connection.session
    page.negotiate()
    while page.read() or page.link is None or page.link.deliver():
        pass
    second = server.player_of(page).connection.session
    assert first != second
    changes = reported(server.made.hub.ledger)
    assert {name: facts.resumed for name, facts in changes.items()} == {second: 1}


async def test_an_away_player_that_does_not_return_has_lost_its_session() -> None:
    server = make_server()
    page = server.arrive("ada-1")
    assert page is not None
    page.link.end(1006)  # type: ignore[union-attr]
    server.expire()
    facts = reported(server.made.hub.ledger)["ada-1"]
    assert (facts.ending, facts.by, facts.code) == ("lost", "player", close_codes.SESSION_GONE.code)


def test_absences_add_up() -> None:
    ledger = Ledger()
    ledger.begin("ada-1", 10.0)
    ledger.away("ada-1", 20.0)
    ledger.resumed("ada-1", 25.0)
    ledger.away("ada-1", 30.0)
    ledger.end("ada-1", 33.5, 1006)
    facts = ledger.changes()["ada-1"]
    assert (facts.resumed, facts.away_seconds, facts.played_seconds) == (1, 8.5, 23.5)


def test_an_end_by_a_limit_is_reported_again_only_when_it_moves() -> None:
    ledger = Ledger()
    ledger.begin("ada-1", 0.0)
    ledger.set_end("ada-1", 1000.4)
    assert reported(ledger)["ada-1"].ends_at == 1000
    ledger.set_end("ada-1", 1001.6)
    assert reported(ledger) == {}
    ledger.set_end("ada-1", 1600.0)
    assert reported(ledger)["ada-1"].ends_at == 1600
    ledger.end("ada-1", 1.0, 1000)
    assert reported(ledger)["ada-1"].ends_at is None


def test_changes_are_repeated_until_they_are_accepted() -> None:
    ledger = Ledger()
    ledger.begin("ada-1", 0.0)
    ledger.set_path("ada-1", "host")
    sent = ledger.changes()
    ledger.set_path("ada-1", "relayed")
    ledger.reported(sent)
    assert ledger.changes()["ada-1"].path == "relayed", "the later change has not been accepted"


def test_unreported_ends_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "MAX_UNREPORTED", 3)
    ledger = Ledger()
    for number in range(5):
        ledger.begin(f"p{number}", 0.0)
        ledger.end(f"p{number}", 1.0, 1000)
    assert list(ledger.changes()) == ["p2", "p3", "p4"]


def test_a_stopped_server_ends_all_sessions() -> None:
    ledger = Ledger()
    ledger.begin("ada-1", 0.0)
    ledger.end_all(5.0, close_codes.RESTARTING.code)
    facts = ledger.changes()["ada-1"]
    assert structs.asdict(facts)["ending"] == "restarting"
