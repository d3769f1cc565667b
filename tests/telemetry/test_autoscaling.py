"""The values that autoscalers read: the services' metrics, through a real Prometheus and the adapter's queries."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from pixelfleet.service.lifecycle import background
from tests.integration.peers import player, streamer
from tests.parts import eventually, require_part
from tests.telemetry.fleet import LOOPBACK, Fleet
from tests.telemetry.prometheus import kubernetes_configuration, prometheus
from tests.telemetry.shipped import adapter_query, adapter_rules

pytestmark = pytest.mark.integration


def asked(name: str) -> str:
    """Return the adapter's query for a metric of the matchmakers' Service."""
    [rule] = [rule for rule in adapter_rules() if rule["name"]["as"] == name]
    return adapter_query(rule, namespace="pixel", service_name="matchmaker")


async def test_the_ratio_of_players_to_streams_survives_a_rollout_and_is_absent_without_the_store(
    tmp_path: Path,
) -> None:
    require_part("prometheus")
    async with Fleet.running(tmp_path) as fleet, AsyncExitStack() as peers:
        servers = [await fleet.signalserver(drain_seconds=60.0) for _ in range(2)]
        replicas = await fleet.matchmakers(2)
        sources = [
            await peers.enter_async_context(streamer(f"ws://{LOOPBACK}:{server.streamer_port}", "cam"))
            for server in servers
        ]
        watching = prometheus(tmp_path / "prometheus", kubernetes_configuration({"pixelfleet": fleet.pods()}))
        server = await peers.enter_async_context(watching)

        async def reads(name: str, value: float | None) -> None:
            async def is_so() -> bool:
                return await server.value(asked(name)) == value

            await eventually(is_so, f"{name} is {value}")

        await reads("player_stream_pool_ratio", 0)
        await reads("pixelstream_available_count", 2)
        # Two players, one on each replica, have a streamer each, and a third one waits.
        for number in range(2):
            viewer = await peers.enter_async_context(player(f"ws://{LOOPBACK}:{replicas[number].port}/ws"))
            await viewer.receive("config")
            await viewer.send("subscribe", streamerId="default")
        for source in sources:
            await source.receive("playerConnected")
        await reads("player_stream_pool_ratio", 1)
        async with player(f"ws://{LOOPBACK}:{replicas[0].port}/ws"):
            await reads("player_stream_pool_ratio", 3 / 2)
            await reads("pixelstream_player_queue_count", 1)
            await reads("pixelstream_available_count", 0)
        await reads("player_stream_pool_ratio", 1)
        # A rollout drains a busy pod: neither it nor its player counts any more, so nothing scales up.
        async with background(servers[1].drain()):
            await eventually(lambda: servers[1].unready() == "draining", "the pod drains")
            await reads("pixelstream_player_queue_count", 0)
            drained = 'sum(signalserver_draining{namespace="pixel"}) == 1 and on () vector(1)'

            async def shown() -> bool:
                return await server.value(drained) is not None

            await eventually(shown, "Prometheus has scraped the drain")
            await eventually(
                lambda: all(each.gauges.totals and each.gauges.totals.apps["default"].slots == 1 for each in replicas),
                "both replicas have the drain",
            )
            await reads("player_stream_pool_ratio", 1)
            # While the store is unavailable the series are absent.
            fleet.redis.stop()
            for name in ("player_stream_pool_ratio", "pixelstream_available_count", "pixelstream_player_queue_count"):
                await reads(name, None)
