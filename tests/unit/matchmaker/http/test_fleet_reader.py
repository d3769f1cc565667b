import asyncio

import pytest

from matchmaker.http.fleet_reader import MAX_READ_SHARE, MIN_REUSE_SECONDS, FleetReader
from pixelfleet.fleet.store import StoreUnavailableError
from tests.unit.matchmaker.brokers import Store


class Reading:
    """A reader with a fake store and a fake clock."""

    def __init__(self) -> None:
        self.store = Store()
        self.reader = FleetReader(self.store.real)
        self.reader._loop = self  # type: ignore[assignment]  # only `time` is called
        self.now = 0.0

    def time(self) -> float:
        return self.now

    @property
    def reads(self) -> int:
        return len(self.store.calls_of("snapshot"))


@pytest.fixture
async def reading() -> Reading:
    return Reading()


async def test_requests_within_a_second_share_one_read(reading: Reading) -> None:
    await asyncio.gather(*(reading.reader.snapshot() for _ in range(50)))
    reading.now = MIN_REUSE_SECONDS - 0.01
    await reading.reader.snapshot()
    assert reading.reads == 1
    reading.now = MIN_REUSE_SECONDS
    await reading.reader.snapshot()
    assert reading.reads == 2


async def test_a_fleet_that_takes_long_to_read_is_read_less_often(reading: Reading) -> None:
    inner = reading.store.inner.snapshot

    async def slow_snapshot() -> object:
        reading.now += 2.0
        return await inner()

    reading.store.inner.snapshot = slow_snapshot  # type: ignore[method-assign,assignment]
    await reading.reader.snapshot()
    reading.now = 2.0 / MAX_READ_SHARE - 0.01
    await reading.reader.snapshot()
    assert reading.reads == 1


async def test_the_next_request_after_a_change_reads_again(reading: Reading) -> None:
    await reading.reader.snapshot()
    await reading.store.streamer()
    reading.reader.invalidate()
    assert len((await reading.reader.snapshot()).streamers) == 1


async def test_an_error_is_raised_and_not_cached(reading: Reading) -> None:
    reading.store.unavailable = True
    with pytest.raises(StoreUnavailableError):
        await reading.reader.snapshot()
    reading.store.unavailable = False
    await reading.reader.snapshot()
