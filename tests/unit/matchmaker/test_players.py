"""Who may become a player, and when it is the replica itself that reaches nobody."""

from collections.abc import AsyncIterator

import pytest

from pixelfleet.net.dial import DialError
from pixelfleet.protocol import close_codes
from pixelfleet.service.lifecycle import Tasks
from tests.unit.matchmaker.hall import Hall


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    async with Tasks() as owner:
        yield owner


@pytest.fixture
async def hall(monkeypatch: pytest.MonkeyPatch, tasks: Tasks) -> Hall:
    return Hall(monkeypatch, tasks, origins=["https://play.example"], max_queue=2)


async def test_players_are_taken_on_any_path(hall: Hall) -> None:
    for path in ("/", "/ws", "/matchmaker?app=car", "/?id=*", "/?region=eu&OfferToReceive=true"):
        assert hall.upgrade(path).status == 101


async def test_what_cannot_be_is_refused_with_a_status(hall: Hall) -> None:
    assert hall.upgrade("/?app=a%20b").status == 400
    assert hall.upgrade("/?id=" + "x" * 300).status == 400
    assert hall.upgrade("/", Origin="https://evil.example").status == 403
    assert hall.upgrade("/", Origin="https://play.example").status == 101
    for _ in range(2):
        hall.player()
    await hall.settle()
    assert hall.upgrade("/").status == 503


async def test_a_replica_that_ends_takes_nobody_and_refuses_nobody_for_good(hall: Hall) -> None:
    hall.players.closing = True
    assert hall.upgrade("/").status == 101
    await hall.settle()
    assert len(hall.players) == 0


async def test_a_replica_that_reaches_none_of_many_streamers_is_broken(hall: Hall) -> None:
    reports = [await hall.store.streamer(number) for number in range(1, 6)]
    for report in reports[:4]:
        hall.players.dialled(report, DialError("refused"))
        assert not hall.players.broken
    hall.players.dialled(reports[4], DialError("refused"))
    broken = hall.players.broken
    hall.players.dialled(reports[0], None)
    assert (broken, hall.players.broken) == (True, False)


async def test_one_streamer_that_fails_often_makes_nobody_broken(hall: Hall) -> None:
    report = await hall.store.streamer()
    for _ in range(40):
        hall.players.dialled(report, DialError("refused"))
    assert not hall.players.broken


async def test_everyone_is_sent_away_to_come_back(hall: Hall) -> None:
    seats = [hall.player() for _ in range(3)]
    hall.players.close_all()
    assert {code for seat in seats for code, _ in seat.socket.closes} == {4005}
    for seat in seats:
        hall.players.left.clear()
        seat.leave()
        assert hall.players.left.is_set()
    assert len(hall.players) == 0


async def test_notices_reach_the_player_that_they_concern(hall: Hall) -> None:
    first, second = hall.player(), hall.player()
    await hall.settle()
    assert await hall.store.inner.end(first.session)
    assert await hall.store.inner.end(second.session)
    second.leave()
    await hall.turning.turn()
    await hall.settle()
    assert [code for code, _ in first.socket.closes] == [close_codes.SESSION_OVER.code]
    assert second.socket.closes == []
