"""What may be used once, in both stores."""

from pixelfleet.fleet.store import FleetStore
from tests.unit.pixelfleet.fleet.stores import Clock


async def test_what_may_be_used_once_is_used_once(store: FleetStore, clock: Clock) -> None:
    assert await store.redeem("a", clock.now + 10)
    assert not await store.redeem("a", clock.now + 10)
    assert await store.redeem("b", clock.now + 10)


async def test_what_is_over_already_is_still_used_once_at_a_time(store: FleetStore, clock: Clock) -> None:
    assert await store.redeem("a", clock.now - 5)
