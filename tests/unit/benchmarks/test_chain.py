"""The chain's benchmark on a small scale, and its arithmetic."""

import sys
from argparse import Namespace

import pytest

from benchmarks.chain import APP, FLOOR, OURS, PARTS, bare, lines, ours, ratio, spread
from benchmarks.load import Phase, connected
from tests.parts import require_part


def phase(*each: float) -> Phase:
    return Phase(1000.0, sum(each), 0.5, 1.0, 0, each)


@pytest.mark.skipif(sys.platform != "linux", reason="the figures come from /proc")
@pytest.mark.integration
@pytest.mark.parametrize("name", PARTS)
async def test_every_candidate_returns_through_the_whole_chain(name: str) -> None:
    require_part("redis-server")
    start, shown_as = {FLOOR: (bare, ""), OURS: (ours, APP)}[name]
    async with (
        start(Namespace(players=4, streamers=2)) as server,
        connected(server, players=4, streamers=2, shown_as=shown_as) as load,
    ):
        found = await load.closed_loop(0.2)
    assert found.lost == 0
    assert found.messages_per_second > 200
    assert len(found.cpu_us_each) == 3


def test_the_ratio_is_that_of_the_medians_of_the_whole_chain() -> None:
    samples = {
        FLOOR: [phase(10.0, 10.0, 20.0), phase(9.0, 10.0, 20.0), phase(90.0, 10.0, 20.0)],
        OURS: [phase(14.0, 14.0, 22.0), phase(1.0, 1.0, 1.0), phase(15.0, 14.0, 22.0)],
    }
    assert ratio(samples) == 1.25
    assert spread(samples) == (3 / 39, 1.25)
    assert "router 14.0, matchmaker 14.0, signalserver 22.0" in lines(samples)[1]
