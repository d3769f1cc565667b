"""One timer for many: each ends at its own time, and what ended before is not told of."""

import asyncio

import pytest

from pixelfleet.service.deadlines import Deadlines, PerLoop, TimeLimit
from tests.parts import eventually


async def test_each_is_told_of_when_its_time_is_over_and_no_earlier() -> None:
    over: list[tuple[str, float]] = []
    now = asyncio.get_running_loop().time
    deadlines: Deadlines[str] = Deadlines(0.1, lambda item: over.append((item, now())))
    begun = now()
    deadlines.add("first")
    await asyncio.sleep(0.05)
    deadlines.add("in time")
    deadlines.add("second")
    assert "second" in deadlines
    deadlines.discard("in time")
    await eventually(lambda: not deadlines, "both are over")
    assert [name for name, _ in over] == ["first", "second"]
    assert over[0][1] - begun >= 0.099
    assert over[1][1] - begun >= 0.149


async def test_the_timer_runs_again_for_what_comes_after_a_pause() -> None:
    over: list[str] = []
    deadlines: Deadlines[str] = Deadlines(0.02, over.append)
    deadlines.add("gone")
    deadlines.discard("gone")
    deadlines.discard("never there")
    await asyncio.sleep(0.04)
    deadlines.add("late")
    await eventually(lambda: over == ["late"], "it is over")


async def test_one_that_ends_another_in_its_callback_does_so_before_that_is_told_of() -> None:
    over: list[str] = []

    def ends(item: str) -> None:
        over.append(item)
        deadlines.discard("b")

    deadlines: Deadlines[str] = Deadlines(0.01, ends)
    deadlines.add("a")
    deadlines.add("b")
    await asyncio.sleep(0.05)
    assert over == ["a"]


async def test_nothing_is_told_of_after_a_stop() -> None:
    over: list[str] = []
    deadlines: Deadlines[str] = Deadlines(0.01, over.append)
    deadlines.add("a")
    assert deadlines.stop() == ["a"]
    assert deadlines.stop() == []
    await asyncio.sleep(0.03)
    assert over == []
    deadlines.add("b")
    await eventually(lambda: over == ["b"], "it is over")


def test_each_loop_has_its_own_and_one_that_has_ended_none() -> None:
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


async def test_a_task_that_takes_too_long_hears_of_it_and_goes_on() -> None:
    limit = TimeLimit(0.02)
    for _ in range(2):
        with pytest.raises(TimeoutError), limit:
            await asyncio.sleep(5)
    with limit:
        await asyncio.sleep(0)
    await asyncio.sleep(0.03)  # nothing is left of it
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


async def test_many_tasks_have_their_own_time_each() -> None:
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


async def test_who_is_cancelled_while_it_is_late_is_cancelled() -> None:
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
