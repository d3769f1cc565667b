"""The durations of the steps from the opened page to its first frame, from the page's statistics. No I/O."""

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
"""The milestones of a page, in order, each with the step that ends there."""

MAX_SECONDS: Final = 86_400.0
"""Longer durations are ignored: the tab was in the background."""


def first_frame_steps(page_stats: Mapping[str, Any]) -> dict[str, float] | None:
    """Return the seconds of each step in a page's statistics; None when they have none or are invalid.

    The statistics have `{"firstFrame": {milestone: milliseconds since the page was opened}}`, and `frame` is required.
    The time of a missing milestone counts for the step that follows. The sum of the steps is the time from opening the
    page to its first frame.
    """
    milestones = page_stats.get("firstFrame")
    if type(milestones) is not dict or "frame" not in milestones:
        return None
    passed = [(milestone, milestones[milestone]) for milestone in STEPS if milestone in milestones]
    times = [0.0]
    for _, milliseconds in passed:
        if type(milliseconds) not in (int, float) or not times[-1] <= milliseconds / 1000 <= MAX_SECONDS:
            return None
        times.append(milliseconds / 1000)
    ends = zip(passed, pairwise(times), strict=True)
    return {STEPS[milestone]: after - before for (milestone, _), (before, after) in ends}
