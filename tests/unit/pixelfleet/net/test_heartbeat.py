import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.protocol import close_codes
from tests.unit.pixelfleet.net.raw import Op, frame, websocket
from tests.unit.pixelfleet.net.servers import open_port
from tests.unit.pixelfleet.net.sockets import FakeSocket

INTERVAL, PATIENCE = 20.0, 5.0


class Beating:
    """A heartbeat whose loop has a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, interval: float = INTERVAL, patience: float = PATIENCE) -> None:
        self.now = 100.0
        self.heartbeat = Heartbeat(interval, patience)
        monkeypatch.setattr(self.heartbeat, "_loop", self)

    def time(self) -> float:
        return self.now

    def add(self, socket: FakeSocket) -> FakeSocket:
        self.heartbeat.add(socket.real)
        return socket

    def pass_time(self, seconds: float) -> None:
        """Tick as the heartbeat itself does, until so many seconds are over."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + Heartbeat.TICK_SECONDS)
            self.heartbeat.tick()

    @property
    def watched(self) -> int:
        return len(self.heartbeat._to_ping) + len(self.heartbeat._to_check)


@pytest.fixture
async def beating(monkeypatch: pytest.MonkeyPatch) -> Beating:
    return Beating(monkeypatch)


async def test_a_socket_is_pinged_once_an_interval(beating: Beating) -> None:
    socket = beating.add(FakeSocket())
    pings = []
    for _ in range(4):
        beating.pass_time(INTERVAL)
        pings.append(socket.pings)
    assert pings == [1, 2, 3, 4]
    assert socket.closes == []


async def test_a_socket_is_not_pinged_before_its_time(beating: Beating) -> None:
    socket = beating.add(FakeSocket())
    beating.pass_time(INTERVAL - 1)
    assert socket.pings == 0


async def test_a_socket_without_a_pong_in_time_is_closed(beating: Beating) -> None:
    socket = beating.add(FakeSocket(answers=False))
    beating.pass_time(INTERVAL + PATIENCE - 1)
    assert socket.closes == []
    beating.pass_time(1)
    assert socket.closes == [(close_codes.PONG_TIMEOUT.code, close_codes.PONG_TIMEOUT.reason)]
    beating.pass_time(10 * INTERVAL)
    assert socket.pings == 1


async def test_a_socket_with_a_late_pong_within_patience_stays_open(beating: Beating) -> None:
    socket = beating.add(FakeSocket(answers=False))
    beating.pass_time(INTERVAL)
    for number in range(1, 6):
        assert socket.pings == number
        beating.pass_time(PATIENCE - 1)
        socket.awaits_pong = False
        beating.pass_time(INTERVAL - PATIENCE + 1)
    assert socket.closes == []


async def test_a_silent_socket_does_not_affect_others(beating: Beating) -> None:
    sockets = [beating.add(FakeSocket(answers=number != 3)) for number in range(6)]
    beating.pass_time(INTERVAL * 3)
    assert [bool(socket.closes) for socket in sockets] == [number == 3 for number in range(6)]


async def test_new_sockets_do_not_delay_the_pings_of_old_ones(beating: Beating) -> None:
    old = beating.add(FakeSocket())
    for _ in range(100):
        beating.add(FakeSocket())
        beating.pass_time(1.0)
    assert old.pings == 100 // INTERVAL


async def test_closed_sockets_are_removed(beating: Beating) -> None:
    sockets = [beating.add(FakeSocket()) for _ in range(50)]
    beating.pass_time(INTERVAL)
    for socket in sockets:
        socket.is_open = False
    beating.pass_time(INTERVAL)
    assert beating.watched == 0
    assert {socket.pings for socket in sockets} == {1}


async def test_patience_is_never_longer_than_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    beating = Beating(monkeypatch, interval=2.0, patience=60.0)
    silent, talking = beating.add(FakeSocket(answers=False)), beating.add(FakeSocket())
    beating.pass_time(4.0)
    assert silent.closes == [(close_codes.PONG_TIMEOUT.code, close_codes.PONG_TIMEOUT.reason)]
    assert talking.pings == 2


@given(
    interval=st.floats(1.0, 60.0),
    patience=st.floats(0.5, 60.0),
    arrivals=st.lists(st.floats(0.0, 40.0), min_size=1, max_size=12),
    data=st.data(),
)
async def test_sockets_added_at_any_time_are_pinged_in_time_and_closed_only_without_pong(
    interval: float, patience: float, arrivals: list[float], data: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        beating = Beating(monkeypatch, interval, patience)
        sockets: list[tuple[float, FakeSocket]] = []
        for pause in arrivals:
            beating.pass_time(pause)
            sockets.append((beating.now, beating.add(FakeSocket(answers=data.draw(st.booleans())))))
        beating.pass_time(5 * interval)
        slack = 2 * Heartbeat.TICK_SECONDS
        for came, socket in sockets:
            lived = beating.now - came
            if socket.answers:
                assert socket.closes == []
                # The sum of the ticks is rounded, so the last ping may come a hair before its time.
                assert (lived + 1e-6) // interval >= socket.pings >= lived // (interval + slack)
            else:
                assert socket.pings == 1
                assert (socket.closes != []) or lived <= interval + patience + 2 * slack


async def test_a_peer_that_does_not_pong_is_closed_over_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Heartbeat, "TICK_SECONDS", 0.01)
    heartbeat = Heartbeat(0.05, 1.0)
    async with open_port() as opened, websocket(opened.port) as silent, websocket(opened.port) as talking:
        one, received = await opened.next()
        other, _ = await opened.next()
        heartbeat.add(one)
        heartbeat.add(other)
        beating = asyncio.create_task(heartbeat.run())
        for _ in range(3):
            assert (await talking.frame())[0] == Op.PING
            await talking.send(frame(Op.PONG))
        assert (await silent.frame())[0] == Op.PING
        assert await silent.closing() == (close_codes.PONG_TIMEOUT.code, close_codes.PONG_TIMEOUT.reason)
        await silent.close()
        assert (await received.end())[0] == close_codes.PONG_TIMEOUT.code
        assert other.is_open
        beating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await beating
