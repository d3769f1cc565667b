"""Each record is read once, in chunks, whatever happens to the store."""

import pytest

from matchmaker.usage import reader as reader_module
from matchmaker.usage.reader import UsageReader
from pixelfleet.fleet.model import Ticket
from tests.unit.matchmaker.brokers import Store


async def ends(store: Store, *sessions: int) -> None:
    """Let players leave the queue: each has a record."""
    for number in sessions:
        await store.inner.join(Ticket(session_id=f"p{number}", replica_id="r", app="city"))
        await store.inner.leave(f"p{number}")


@pytest.fixture
async def store() -> Store:
    made = Store()
    await made.inner.keep_records(1_000_000, 86_400)
    return made


async def test_a_request_reads_only_what_is_new(store: Store) -> None:
    reader = UsageReader(store.real)
    await ends(store, *range(5))
    await reader.read()
    assert (reader.days.records, reader.complete) == (5, True)
    await ends(store, 5, 6)
    await reader.read()
    await reader.read()
    assert reader.days.records == 7


async def test_ten_thousand_records_take_a_bounded_number_of_reads_a_request(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ends(store, *range(10_000))
    reader = UsageReader(store.real)
    counts = []
    while not reader.complete:
        before = len(store.calls_of("records"))
        await reader.read()
        counts.append(len(store.calls_of("records")) - before)
    assert reader.days.records == 10_000
    assert max(counts) <= reader_module.CHUNKS_AT_ONCE + 2
    assert len(counts) <= 3


async def test_a_store_that_lost_its_records_is_counted_anew(store: Store) -> None:
    reader = UsageReader(store.real)
    await ends(store, *range(5))
    await reader.read()
    store.reset()
    await reader.read()
    assert (reader.days.records, reader.days.apps(range(30_000))) == (0, {})
    await store.inner.keep_records(1_000, 86_400)
    await ends(store, 1)
    await reader.read()
    assert reader.days.records == 1
