"""A matched player moves from its matchmaker to its signalling server, and nothing else can move it."""

from contextlib import AsyncExitStack

import pytest

from tests.integration.conftest import Chain
from tests.integration.peers import negotiate, player, streamer
from tests.parts import eventually

pytestmark = pytest.mark.integration


async def test_a_playing_player_has_no_connection_to_a_matchmaker(chain: Chain) -> None:
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(streamer(chain.streamer_url, "cam"))
        viewer = await stack.enter_async_context(player(chain.player_url))
        await negotiate(viewer, source, "default")
        await eventually(lambda: not chain.matches.players, "the matchmaker has no player")
        assert len(chain.entry.players) == 1
        assert not chain.matches.broker.sessions
        assert [target.connections for target in chain.entry.matchmakers.pool.targets()] == [0]
        await source.send("iceCandidate", candidate={"candidate": "c"}, playerId="1")
