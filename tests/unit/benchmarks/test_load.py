"""The load on each measured server, on a small scale."""

import math
import os
import resource
import sys

import pytest
from rich.console import Console

from benchmarks import idle
from benchmarks.load import connected, quantile
from benchmarks.processes import (
    COMMANDS,
    Server,
    StartError,
    cpu_seconds,
    resident_kib,
    started,
)
from tests.parts import eventually

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the figures come from /proc")


@on_linux
@pytest.mark.integration
@pytest.mark.parametrize("name", COMMANDS)
async def test_every_candidate_returns(name: str) -> None:
    async with started(name) as server, connected(server, players=4, streamers=2) as load:
        closed_loop = await load.closed_loop(0.2)
        open_loop = await load.open_loop(0.5, rate=100)
        assert load.closed == 0
    assert (closed_loop.lost, open_loop.lost) == (0, 0)
    for phase in (closed_loop, open_loop):
        assert phase.messages_per_second > 0
        assert 0 < phase.p50_ms <= phase.p99_ms
        assert phase.cpu_us is not None


@on_linux
@pytest.mark.integration
async def test_a_remote_server_is_loaded_without_its_process() -> None:
    async with started("bare picows") as server:
        elsewhere = Server(server.player_url, server.streamer_url, None)
        async with connected(elsewhere, players=2, streamers=1) as load:
            assert (await load.open_loop(0.1, rate=100)).cpu_us is None


@on_linux
@pytest.mark.integration
async def test_a_server_is_stopped_after_its_measurement() -> None:
    async with started("bare picows") as server:
        assert server.pid is not None
        assert cpu_seconds(server.pid) >= 0
        assert resident_kib(server.pid) > 1000
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


@on_linux
@pytest.mark.integration
async def test_connections_closed_by_the_server_are_counted() -> None:
    async with started("bare picows") as server, connected(server, players=2, streamers=1) as load:
        assert server.pid is not None
        os.kill(server.pid, 9)
        await eventually(lambda: load.closed == 3, "all connections are closed")


@on_linux
@pytest.mark.integration
async def test_idle_players_stay_connected_and_get_answers() -> None:
    figures = await idle.measure("pixelfleet", 20, 0.2, Console(quiet=True))
    assert (figures.players, figures.answered, figures.dropped) == (20, 20, 0)
    assert figures.cpu_share < 1


def test_goals_of_idle_players() -> None:
    good = idle.Figures(100, 15.9, 0.09, 300.0, 3.0, 0, 100)
    assert idle.failures(good) == []
    bad = idle.Figures(100, 16.1, 0.10, 300.0, 3.0, 2, 97)
    assert [each.split()[0] for each in idle.failures(bad)] == ["2", "3", "16.1", "10.0%"]


async def test_a_server_that_does_not_start_is_an_error_with_its_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "broken", ("benchmarks.no_such_module",))
    with pytest.raises(StartError, match=r"no_such_module did not start:\n.*No module named"):
        async with started("broken"):
            pass


def test_quantiles() -> None:
    times = [float(each) for each in range(100)]
    assert (quantile(times, 0.5), quantile(times, 0.99), quantile([7.0], 0.99)) == (50.0, 99.0, 7.0)
    assert math.isnan(quantile([], 0.5))


@pytest.mark.parametrize(("wanted", "raised"), [(100, False), (1024, False), (1025, True), (4096, True)])
def test_the_limit_of_open_files_is_raised_if_needed(
    wanted: int, raised: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: limits.append(both))
    idle.allow_files(wanted)
    assert limits == ([(wanted, 4096)] if raised else [])


def test_more_files_than_the_hard_limit_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    with pytest.raises(OSError, match="at most 4096 files may be open here and 5200 are needed"):
        idle.allow_files(5200)
