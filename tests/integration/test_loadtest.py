"""`pixelfleet loadtest` against real services: what the report counts is what the players met."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pixelfleet_cli.loadtest.app import prepared
from pixelfleet_cli.loadtest.core.results import Report
from pixelfleet_cli.loadtest.page import page_of
from pixelfleet_cli.loadtest.settings import Settings
from tests.integration.conftest import Chain, running_chain
from tests.parts import PATIENCE_SECONDS, eventually, free_port, program
from tests.standins.resuming import running_resuming

pytestmark = pytest.mark.integration

COMMAND = (sys.executable, "-m", "pixelfleet_cli.cli", "loadtest")


async def report_of(**options: Any) -> Report:
    """Run a test with these settings, and return its report."""
    test = await asyncio.to_thread(prepared, Settings(**options))
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await test.run(asyncio.Event())


@asynccontextmanager
async def fleet(page: Path, capacity: int) -> AsyncIterator[Chain]:
    async with running_chain(page, signals={"capacity": capacity}) as chain:
        yield chain


async def test_players_get_streamers_over_router_and_matchmaker(page_folder: Path) -> None:
    async with fleet(page_folder, 50) as chain:
        report = await report_of(
            url=chain.page_url,
            streamers=2,
            streamer_url=chain.streamer_url,
            rate=40,
            players=30,
            hold="6",
            negotiate=True,
            seconds=PATIENCE_SECONDS,
        )
    assert report.passed, report.errors
    assert (report.players.started, report.players.served, report.players.completed) == (30, 30, 30)
    assert report.streamers.connected == 2
    assert {name: times.count for name, times in report.times.items()} == {
        "connect": 30,
        "wait": 30,
        "offer": 30,
        "firstFrame": 0,
        "resume": 0,
        "lag": 30,
    }
    assert sum(point.started for point in report.timeline) == 30
    assert "<svg" in await asyncio.to_thread(page_of, report)


async def test_players_without_a_streamer_give_up(page_folder: Path) -> None:
    async with fleet(page_folder, 1) as chain:
        report = await report_of(
            url=chain.player_url,
            streamers=1,
            streamer_url=chain.streamer_url,
            rate=100,
            players=5,
            hold="8",
            patience="3",
            seconds=PATIENCE_SECONDS,
        )
    players = report.players
    assert (players.started, players.served, players.gave_up, players.completed) == (5, 1, 4, 1)
    assert report.passed


async def test_arrivals_beyond_the_limit_are_skipped(page_folder: Path) -> None:
    async with fleet(page_folder, 50) as chain:
        report = await report_of(url=chain.player_url, rate=100, players=8, concurrent=3, patience="60", seconds=1)
    assert report.players.most == report.players.started == report.players.still_waiting == 3
    assert report.players.skipped == 5


async def test_dropped_players_return_over_router_and_matchmaker(page_folder: Path) -> None:
    async with fleet(page_folder, 50) as chain:
        report = await report_of(
            url=chain.player_url,
            streamers=1,
            streamer_url=chain.streamer_url,
            rate=50,
            players=5,
            hold="1.5",
            drops_per_minute=120,
            seconds=PATIENCE_SECONDS,
        )
    back = report.returns
    assert back.resumed + back.negotiated_again + back.joined_again == back.drops > 0
    assert report.passed, report.errors


async def test_dropped_players_resume_their_sessions() -> None:
    async with running_resuming() as server:
        report = await report_of(
            url=server.url, rate=50, players=4, hold="1", drops_per_minute=240, negotiate=True, seconds=60
        )
    assert report.returns.drops == report.returns.resumed > 0
    assert report.times["resume"].count == report.returns.drops
    assert report.passed, report.errors
    assert server.miscounts == []


@pytest.mark.parametrize(("code", "again"), [(4008, "negotiated_again"), (4007, "joined_again")])
async def test_players_follow_the_code_after_a_drop(code: int, again: str) -> None:
    async with running_resuming(refuse=code) as server:
        report = await report_of(
            url=server.url, rate=50, players=2, hold="1", drops_per_minute=240, seconds=60, max_errors=1000
        )
    assert getattr(report.returns, again) == report.returns.drops > 0
    assert sum(each.count for each in report.errors) == (report.returns.drops if code == 4007 else 0)


async def test_an_unreachable_target_is_an_error() -> None:
    report = await report_of(url=f"ws://127.0.0.1:{free_port()}", rate=100, players=3, seconds=60, processes=False)
    assert [(each.code, each.count) for each in report.errors] == [("unreachable", 3)]
    assert report.errors[0].hint
    assert not report.passed


async def test_the_resources_of_a_service_come_from_its_metrics(chain: Chain) -> None:
    port = chain.entry.metrics_port
    report = await report_of(
        url=chain.player_url,
        metrics_url=[f"http://127.0.0.1:{port}/metrics"],
        rate=1,
        seconds=2,
        processes=False,
    )
    assert [each.name for each in report.processes] == ["this command", f"127.0.0.1:{port}"]
    assert all(each.memory_bytes_peak > 1_000_000 for each in report.processes)


async def test_players_with_media_measure_their_first_frame(page_folder: Path) -> None:
    """In a process of its own: aiortc blocks the loop for the decoder's last frame when it closes a connection."""
    pytest.importorskip("aiortc")
    options = ("--streamers=1", "--streamer-media", "--media=2", "--rate=50", "--players=2", "--hold=3", "--json")
    async with (
        fleet(page_folder, 4) as chain,
        program(*COMMAND, f"--url={chain.player_url}", f"--streamer-url={chain.streamer_url}", *options) as process,
    ):
        report = await _report(process)
    assert process.returncode == 0
    assert report.passed, report.errors
    assert len(report.media) == report.times["firstFrame"].count == 2
    for each in report.media:
        assert (each.tracks, each.expected_tracks) == (2, 2)
        assert each.packets > 0
        assert each.bits_per_second > 0
        assert each.frames_per_second > 0
        assert each.first_frame_seconds is not None


async def test_ctrl_c_ends_the_test_with_its_report(chain: Chain) -> None:
    async with program(*COMMAND, f"--url={chain.player_url}", "--seconds=600", "--rate=20", "--json") as process:
        await _player_waits(chain)
        process.send_signal(signal.SIGINT)
        report = await _report(process)
    assert report.interrupted
    assert report.players.started > 0
    assert process.returncode == 0


async def test_more_errors_than_accepted_are_exit_code_1(tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    options = (f"--url=ws://127.0.0.1:{free_port()}", "--players=2", "--rate=50", f"--html={html}", "--json")
    async with program(*COMMAND, *options) as process:
        report = await _report(process)
    assert process.returncode == 1
    assert not report.passed
    assert "<svg" in await asyncio.to_thread(html.read_text)


async def _report(process: asyncio.subprocess.Process) -> Report:
    async with asyncio.timeout(PATIENCE_SECONDS):
        output, _ = await process.communicate()
    return msgspec.json.decode(output, type=Report)


async def _player_waits(chain: Chain) -> None:
    await eventually(lambda: chain.matches.queue, "a player waits")
