"""The ends of sessions are said together, with what else is said, and none is lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from matchmaker.departures import AT_ONCE, WAIT_SECONDS, Departures
from pixelfleet.fleet.store import StoreUnavailableError
from tests.parts import eventually
from tests.unit.matchmaker.fleet import Store


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def departures(store: Store) -> AsyncIterator[Departures]:
    made = Departures(store.real, "here")
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()


def said(store: Store) -> list[list[str]]:
    return [sessions for *sessions, _ in store.named("leave")]


async def test_those_who_leave_within_a_moment_are_said_in_one_call_and_in_order(
    store: Store, departures: Departures
) -> None:
    departures.add("b")
    departures.add("a")
    departures.add("b")
    await asyncio.sleep(0)
    assert said(store) == []
    assert len(departures) == 2
    await eventually(lambda: not departures, "both are said")
    assert said(store) == [["b", "a"]]


async def test_they_go_along_with_what_is_said_next(store: Store, departures: Departures) -> None:
    await asyncio.sleep(0)
    departures.take_pending()
    departures.add("a")
    departures.take_pending()
    for _ in range(3):
        await asyncio.sleep(0)
    assert said(store) == [["a"]]
    departures.add("b")
    await asyncio.sleep(2 * WAIT_SECONDS)
    assert said(store) == [["a"], ["b"]]


async def test_many_are_said_a_part_at_a_time(store: Store, departures: Departures) -> None:
    names = [f"p{number}" for number in range(2 * AT_ONCE + 1)]
    for name in names:
        departures.add(name)
    await departures.send()
    assert [len(part) for part in said(store)] == [AT_ONCE, AT_ONCE, 1]
    assert [name for part in said(store) for name in part] == names


async def test_what_a_lost_store_was_told_is_said_again_and_holds_nobody_up(
    store: Store, departures: Departures
) -> None:
    store.away = True
    for number in range(AT_ONCE + 1):
        departures.add(f"p{number}")
    await departures.send()
    assert not departures
    with pytest.raises(StoreUnavailableError):
        await departures.resend()
    store.away = False
    store.calls.clear()
    await departures.resend()
    await departures.resend()
    assert [len(part) for part in said(store)] == [AT_ONCE, 1]


async def test_the_loop_goes_on_when_the_store_comes_back(store: Store, departures: Departures) -> None:
    store.away = True
    departures.add("a")
    await eventually(lambda: not departures, "it was tried")
    store.away = False
    departures.add("b")
    await eventually(lambda: not departures, "it is said")
    assert said(store) == [["a"], ["b"]]
