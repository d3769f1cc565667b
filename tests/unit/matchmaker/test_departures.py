"""Departures are sent in batches, with other calls, and none is lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from matchmaker.departures import BATCH_SIZE, DELAY_SECONDS, Departures
from pixelfleet.fleet.store import StoreUnavailableError
from tests.parts import eventually
from tests.unit.matchmaker.brokers import Store


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def departures(store: Store) -> AsyncIterator[Departures]:
    departures = Departures(store.real, "here")
    running = asyncio.create_task(departures.run())
    yield departures
    running.cancel()


def sent(store: Store) -> list[list[str]]:
    return [sessions for *sessions, _, _ in store.calls_of("leave")]


async def test_departures_within_the_delay_are_sent_in_one_call_in_order(store: Store, departures: Departures) -> None:
    departures.add("b")
    departures.add("a")
    departures.add("b")
    await asyncio.sleep(0)
    assert sent(store) == []
    assert len(departures) == 2
    await eventually(lambda: not departures, "both are sent")
    assert sent(store) == [["b", "a"]]


async def test_departures_are_sent_with_the_next_call(store: Store, departures: Departures) -> None:
    await asyncio.sleep(0)
    departures.flush()
    departures.add("a")
    departures.flush()
    for _ in range(3):
        await asyncio.sleep(0)
    assert sent(store) == [["a"]]
    departures.add("b")
    await asyncio.sleep(2 * DELAY_SECONDS)
    assert sent(store) == [["a"], ["b"]]


async def test_many_departures_are_sent_in_batches(store: Store, departures: Departures) -> None:
    names = [f"p{number}" for number in range(2 * BATCH_SIZE + 1)]
    for name in names:
        departures.add(name)
    await departures.send()
    assert [len(part) for part in sent(store)] == [BATCH_SIZE, BATCH_SIZE, 1]
    assert [name for part in sent(store) for name in part] == names


async def test_failed_departures_are_kept_for_resend(store: Store, departures: Departures) -> None:
    store.unavailable = True
    for number in range(BATCH_SIZE + 1):
        departures.add(f"p{number}")
    await departures.send()
    assert not departures
    with pytest.raises(StoreUnavailableError):
        await departures.resend()
    store.unavailable = False
    store.calls.clear()
    await departures.resend()
    await departures.resend()
    assert [len(part) for part in sent(store)] == [BATCH_SIZE, 1]


async def test_the_loop_continues_after_a_failure(store: Store, departures: Departures) -> None:
    store.unavailable = True
    departures.add("a")
    await eventually(lambda: not departures, "the call has failed")
    store.unavailable = False
    departures.add("b")
    await eventually(lambda: not departures, "the departure is sent")
    assert sent(store) == [["a"], ["b"]]


async def test_the_players_that_may_return_are_sent_in_calls_of_their_own(store: Store, departures: Departures) -> None:
    store.unavailable = True
    for name, may_return in (("a", True), ("b", False), ("c", True)):
        departures.add(name, may_return=may_return)
    await departures.send()
    store.unavailable = False
    store.calls.clear()
    await departures.resend()
    assert store.calls_of("leave") == [("a", "c", "here", True), ("b", "here", False)]


async def test_a_departure_that_fails_after_the_player_has_returned_is_not_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = asyncio.Event()

    async def leave(*_: str, **__: object) -> None:
        await lost.wait()
        raise StoreUnavailableError("unavailable")

    departures = Departures(store.real, "here")
    with monkeypatch.context() as patch:
        patch.setattr(store, "leave", leave, raising=False)
        departures.add("a")
        departures.add("b")
        sending = asyncio.create_task(departures.send())
        await asyncio.sleep(0)
        departures.withdraw("a")
        lost.set()
        await sending
    await departures.resend()
    assert sent(store) == [["b"]]
