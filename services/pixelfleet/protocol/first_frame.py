"""The way from the opened page to its first frame, as the page tells it: where the seconds went. No I/O."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

STEPS: Final = {
    "opened": "page",
    "matched": "match",
    "configured": "dial",
    "negotiated": "offer",
    "connected": "path",
    "frame": "picture",
}
"""The milestones that a page passes, in their order, and the step that each of them ends."""

MAX_SECONDS: Final = 86_400.0
"""A page that was open for longer until its first frame tells of nothing but a forgotten tab."""


def first_frame_steps(page_stats: Mapping[str, Any]) -> dict[str, float] | None:
    """Return the seconds of each step that a page's statistics tell of; None when they tell of none, or of nonsense.

    They are told as `{"firstFrame": {milestone: milliseconds since the page was opened}}`. `frame` must be
    there; a milestone that is missing was not passed, and its time counts for the step that follows. The sum of the
    steps is the time from opening the page to its first frame.
    """
    told = page_stats.get("firstFrame")
    if type(told) is not dict or "frame" not in told:
        return None
    passed = [(milestone, told[milestone]) for milestone in STEPS if milestone in told]
    times = [0.0]
    for _, milliseconds in passed:
        if type(milliseconds) not in (int, float) or not times[-1] <= milliseconds / 1000 <= MAX_SECONDS:
            return None
        times.append(milliseconds / 1000)
    ends = zip(passed, pairwise(times), strict=True)
    return {STEPS[milestone]: after - before for (milestone, _), (before, after) in ends}
