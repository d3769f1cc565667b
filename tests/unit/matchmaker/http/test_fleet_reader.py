import asyncio

import pytest

from matchmaker.http.fleet_reader import FRESH_SECONDS, LARGEST_SHARE, FleetReader
from pixelfleet.fleet.store import StoreUnavailableError
from tests.unit.matchmaker.fleet import Store


class Reading:
    """A reader, its store, and the clock that both go by."""

    def __init__(self) -> None:
        self.store = Store()
        self.reader = FleetReader(self.store.real)
        self.reader._loop = self  # type: ignore[assignment]  # all that is asked of it is the time
        self.now = 0.0

    def time(self) -> float:
        return self.now

    @property
    def readings(self) -> int:
        return len(self.store.named("snapshot"))


@pytest.fixture
async def reading() -> Reading:
    return Reading()


async def test_one_reading_is_shared_by_all_who_ask_within_a_second(reading: Reading) -> None:
    await asyncio.gather(*(reading.reader.snapshot() for _ in range(50)))
    reading.now = FRESH_SECONDS - 0.01
    await reading.reader.snapshot()
    assert reading.readings == 1
    reading.now = FRESH_SECONDS
    await reading.reader.snapshot()
    assert reading.readings == 2


async def test_a_fleet_that_takes_long_to_read_is_read_less_often(reading: Reading) -> None:
    inner = reading.store.inner.snapshot

    async def slowly() -> object:
        reading.now += 2.0
        return await inner()

    reading.store.inner.snapshot = slowly  # type: ignore[method-assign,assignment]
    await reading.reader.snapshot()
    reading.now = 2.0 / LARGEST_SHARE - 0.01
    await reading.reader.snapshot()
    assert reading.readings == 1


async def test_after_a_change_the_next_one_reads_again(reading: Reading) -> None:
    await reading.reader.snapshot()
    await reading.store.streamer()
    reading.reader.outdate()
    assert len((await reading.reader.snapshot()).streamers) == 1


async def test_an_error_is_for_who_asked_and_is_not_kept(reading: Reading) -> None:
    reading.store.away = True
    with pytest.raises(StoreUnavailableError):
        await reading.reader.snapshot()
    reading.store.away = False
    await reading.reader.snapshot()
