"""Deadlines on a shared timer."""

import asyncio

import pytest

from pixelfleet.service.deadlines import Deadlines, PerLoop, TimeLimit
from tests.parts import eventually


async def test_each_item_expires_at_its_own_deadline() -> None:
    expired: list[tuple[str, float]] = []
    now = asyncio.get_running_loop().time
    deadlines: Deadlines[str] = Deadlines(0.1, lambda item: expired.append((item, now())))
    begun = now()
    deadlines.add("first")
    await asyncio.sleep(0.05)
    deadlines.add("in time")
    deadlines.add("second")
    assert "second" in deadlines
    deadlines.discard("in time")
    await eventually(lambda: not deadlines, "both have expired")
    assert [name for name, _ in expired] == ["first", "second"]
    assert expired[0][1] - begun >= 0.099
    assert expired[1][1] - begun >= 0.149


async def test_the_timer_restarts_after_a_pause() -> None:
    expired: list[str] = []
    deadlines: Deadlines[str] = Deadlines(0.02, expired.append)
    deadlines.add("gone")
    deadlines.discard("gone")
    deadlines.discard("never added")
    await asyncio.sleep(0.04)
    deadlines.add("late")
    await eventually(lambda: expired == ["late"], "it has expired")


async def test_an_item_may_be_discarded_in_the_callback_of_another() -> None:
    expired: list[str] = []

    def ends(item: str) -> None:
        expired.append(item)
        deadlines.discard("b")

    deadlines: Deadlines[str] = Deadlines(0.01, ends)
    deadlines.add("a")
    deadlines.add("b")
    await asyncio.sleep(0.05)
    assert expired == ["a"]


async def test_nothing_expires_after_a_stop() -> None:
    expired: list[str] = []
    deadlines: Deadlines[str] = Deadlines(0.01, expired.append)
    deadlines.add("a")
    assert deadlines.stop() == ["a"]
    assert deadlines.stop() == []
    await asyncio.sleep(0.03)
    assert expired == []
    deadlines.add("b")
    await eventually(lambda: expired == ["b"], "it has expired")


def test_each_open_loop_has_its_own_object() -> None:
    made: list[Deadlines[str]] = []

    def make() -> Deadlines[str]:
        made.append(Deadlines(1.0, lambda _: None))
        return made[-1]

    per_loop = PerLoop(make)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        per_loop.of(loop).add("still there at the end")
        assert per_loop.of(loop) is made[-1]

    for _ in range(3):
        asyncio.run(main())
    assert len(made) == 3
    assert list(per_loop._made.values()) == made[-1:]


# -- tasks ------------------------------------------------------------------------------------------


async def test_a_task_over_the_limit_gets_a_timeout_and_can_continue() -> None:
    limit = TimeLimit(0.02)
    for _ in range(2):
        with pytest.raises(TimeoutError), limit:
            await asyncio.sleep(5)
    with limit:
        await asyncio.sleep(0)
    await asyncio.sleep(0.03)  # no late cancellation follows
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


async def test_each_task_has_its_own_deadline() -> None:
    limit = TimeLimit(1.0)

    async def takes(seconds: float) -> str:
        try:
            with limit:
                await asyncio.sleep(seconds)
        except TimeoutError:
            return "late"
        return "in time"

    assert list(await asyncio.gather(takes(0.01), takes(600), takes(0.02), takes(600))) == [
        "in time",
        "late",
        "in time",
        "late",
    ]


async def test_an_error_and_a_cancellation_from_outside_pass_through() -> None:
    limit = TimeLimit(0.02)
    with pytest.raises(KeyError), limit:
        raise KeyError("mine")

    async def waits() -> None:
        with limit:
            await asyncio.sleep(5)

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_during_a_timeout_propagates() -> None:
    limit = TimeLimit(0.01)

    async def waits() -> None:
        with limit:
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                task.cancel()
                raise

    task = asyncio.create_task(waits())
    with pytest.raises(asyncio.CancelledError):
        await task
