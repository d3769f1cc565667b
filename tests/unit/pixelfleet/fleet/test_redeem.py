"""Names that may be used once, in both stores."""

from pixelfleet.fleet.store import FleetStore
from tests.unit.pixelfleet.fleet.stores import Clock


async def test_a_name_is_redeemed_once(store: FleetStore, clock: Clock) -> None:
    assert await store.redeem("a", clock.now + 10)
    assert not await store.redeem("a", clock.now + 10)
    assert await store.redeem("b", clock.now + 10)


async def test_a_name_of_the_past_can_be_redeemed(store: FleetStore, clock: Clock) -> None:
    assert await store.redeem("a", clock.now - 5)
