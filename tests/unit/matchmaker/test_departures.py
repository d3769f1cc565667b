"""The ends of sessions are said together, with what else is said, and none is lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from matchmaker.departures import AT_ONCE, WAIT_SECONDS, Leaves
from pixelfleet.fleet.store import StoreUnavailableError
from tests.parts import eventually
from tests.unit.matchmaker.fleet import Store


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def leaves(store: Store) -> AsyncIterator[Leaves]:
    made = Leaves(store.real, "here")
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()


def said(store: Store) -> list[list[str]]:
    return [sessions for *sessions, _ in store.named("leave")]


async def test_those_who_leave_within_a_moment_are_said_in_one_call_and_in_order(store: Store, leaves: Leaves) -> None:
    leaves.add("b")
    leaves.add("a")
    leaves.add("b")
    await asyncio.sleep(0)
    assert said(store) == []
    assert len(leaves) == 2
    await eventually(lambda: not leaves, "both are said")
    assert said(store) == [["b", "a"]]


async def test_they_go_along_with_what_is_said_next(store: Store, leaves: Leaves) -> None:
    await asyncio.sleep(0)
    leaves.go_along()
    leaves.add("a")
    leaves.go_along()
    for _ in range(3):
        await asyncio.sleep(0)
    assert said(store) == [["a"]]
    leaves.add("b")
    await asyncio.sleep(2 * WAIT_SECONDS)
    assert said(store) == [["a"], ["b"]]


async def test_many_are_said_a_part_at_a_time(store: Store, leaves: Leaves) -> None:
    names = [f"p{number}" for number in range(2 * AT_ONCE + 1)]
    for name in names:
        leaves.add(name)
    await leaves.say()
    assert [len(part) for part in said(store)] == [AT_ONCE, AT_ONCE, 1]
    assert [name for part in said(store) for name in part] == names


async def test_what_a_lost_store_was_told_is_said_again_and_holds_nobody_up(store: Store, leaves: Leaves) -> None:
    store.away = True
    for number in range(AT_ONCE + 1):
        leaves.add(f"p{number}")
    await leaves.say()
    assert not leaves
    with pytest.raises(StoreUnavailableError):
        await leaves.say_again()
    store.away = False
    store.calls.clear()
    await leaves.say_again()
    await leaves.say_again()
    assert [len(part) for part in said(store)] == [AT_ONCE, 1]


async def test_the_loop_goes_on_when_the_store_comes_back(store: Store, leaves: Leaves) -> None:
    store.away = True
    leaves.add("a")
    await eventually(lambda: not leaves, "it was tried")
    store.away = False
    leaves.add("b")
    await eventually(lambda: not leaves, "it is said")
    assert said(store) == [["a"], ["b"]]
