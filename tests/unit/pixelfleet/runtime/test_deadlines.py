"""One timer for many: each ends at its own time, and what ended before is not told of."""

import asyncio

from pixelfleet.runtime.deadlines import Deadlines
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
