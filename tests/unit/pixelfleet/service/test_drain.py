"""The base class of drains: one begin, one end, and a bounded time."""

import asyncio

import pytest

from pixelfleet.service.drain import Drain


class Service(Drain):
    """The drain of a service with a number of peers."""

    def __init__(self, peers: int = 0, *, spread: float = 0.0, grace: float = 60.0) -> None:
        self.left = asyncio.Event()
        super().__init__(self.left, spread_seconds=spread, grace_seconds=grace)
        self.peers = peers
        self.seen: list[str] = []
        self.checks = 0

    def leave(self) -> None:
        self.peers -= 1
        self.left.set()

    def _begin(self) -> None:
        self.seen.append("begun")

    async def _drain(self) -> None:
        self.spread_left = self._spread_left
        while self.peers and self.seconds_left:
            self.checks += 1
            await self._departure(self.seconds_left)
        self.seen.append("over")


async def test_every_caller_waits_for_the_same_end() -> None:
    service = Service(peers=1)
    callers = [asyncio.create_task(call) for call in (service.wait(), service.run(), service.run())]
    await asyncio.sleep(0)
    service.begin()
    await asyncio.sleep(0)
    assert not any(caller.done() for caller in callers)
    service.leave()
    async with asyncio.timeout(5):
        await asyncio.gather(*callers)
        await service.run()
    assert service.seen == ["begun", "over"]


async def test_the_peers_are_checked_after_each_departure() -> None:
    service = Service(peers=2)
    running = asyncio.create_task(service.run())
    for peers in (2, 1):
        await asyncio.sleep(0)
        assert (service.peers, service.checks) == (peers, 3 - peers)
        service.leave()
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await running


async def test_the_drain_ends_after_the_grace_period() -> None:
    service = Service(peers=1, grace=0.02)
    async with asyncio.timeout(5):
        await service.run()
    assert service.begun
    assert (service.peers, service.seconds_left) == (1, 0.0)


async def test_the_spread_is_part_of_the_grace_period() -> None:
    service = Service(spread=30.0, grace=0.0)
    async with asyncio.timeout(5):
        await service.run()
    assert service.spread_left == 0.0


async def test_a_failed_drain_releases_all_waiting_callers() -> None:
    class Failing(Service):
        async def _drain(self) -> None:
            raise RuntimeError("no end")

    service = Failing()
    waiting = asyncio.create_task(service.wait())
    with pytest.raises(RuntimeError):
        await service.run()
    async with asyncio.timeout(5):
        await waiting
