"""The state of one streamer: its players' input, its counters, and the player that controls the quality."""

import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from teststreamer.inputs import Input
from teststreamer.picture import KEY_SECONDS, MARK_SECONDS, Mark, Scene

MAX_INPUTS: Final = 2048
"""The number of stored inputs; the oldest are removed first."""

MAX_MARKS: Final = 12
"""The number of clicks and touches that are shown at once."""

MAX_KEPT: Final = 64
"""The number of clicks that are shown for ever, if they are kept."""

MARKED: Final = frozenset({"MouseDown", "MouseDouble", "MouseWheel", "TouchStart", "TouchMove"})
"""Inputs that are marked at their position."""

POINTED: Final = frozenset({"MouseDown", "MouseUp", "MouseMove", "MouseWheel", "MouseDouble"})
UNSHOWN: Final = frozenset({"MouseMove", "MouseEnter", "MouseLeave", "KeyUp", "KeyPress", "Command", "GamepadAnalog"})
"""Inputs that the line of the last input omits: they are frequent, or come from the page and not from a person."""


class Stage:
    """The state behind the picture. No I/O; `clock` returns Unix time in seconds.

    With `keep_marks`, the position of each click is shown for ever.
    """

    def __init__(self, clock: Callable[[], float] = time.time, *, keep_marks: bool = False) -> None:
        self._clock = clock
        self.inputs: deque[Input] = deque(maxlen=MAX_INPUTS)
        """The players' inputs, oldest first."""
        self.counts: Counter[str] = Counter()
        """Inputs by kind, and `malformed` for invalid data channel messages."""
        self.quality_controller: str | None = None
        """The player whose network determines the bitrate."""
        self._marks: deque[Input] = deque(maxlen=MAX_MARKS)
        self._kept: deque[tuple[float, float]] = deque(maxlen=MAX_KEPT if keep_marks else 0)
        self._key: Input | None = None
        self._pointer: Input | None = None
        self._last: Input | None = None

    def now(self) -> float:
        """Return the Unix time in seconds from the stage's clock."""
        return self._clock()

    def record(self, seen: Input) -> None:
        """Store an input and show it."""
        self.inputs.append(seen)
        self.counts[seen.kind] += 1
        if seen.kind in MARKED:
            self._mark(seen)
        if seen.kind == "MouseDown" and seen.x is not None and seen.y is not None:
            self._kept.append((seen.x, seen.y))
        if seen.kind in POINTED and seen.x is not None:
            self._pointer = seen
        elif seen.kind == "MouseLeave":
            self._pointer = None
        elif seen.kind == "KeyDown":
            self._key = seen
        if seen.kind not in UNSHOWN:
            self._last = seen

    def forget(self, player_id: str) -> None:
        """Show nothing more of a player whose session has ended: the next player must not see its input."""

        def without(seen: Input | None) -> Input | None:
            return None if seen is None or seen.player_id == player_id else seen

        self._marks = deque((mark for mark in self._marks if mark.player_id != player_id), MAX_MARKS)
        self._key, self._pointer, self._last = map(without, (self._key, self._pointer, self._last))

    def _mark(self, seen: Input) -> None:
        """Add a mark; the mark of a moving touch replaces the one before."""
        if seen.kind == "TouchMove" and self._marks and self._marks[-1].kind in ("TouchMove", "TouchStart"):
            self._marks.pop()
        self._marks.append(seen)

    def scene(self, *, frame: int, streamer_id: str, players: int) -> Scene:
        """Return the content of the next frame."""
        now = self._clock()
        marks = tuple(
            Mark(seen.x, seen.y, seen.label, now - seen.at)
            for seen in self._marks
            if seen.x is not None and seen.y is not None and now - seen.at < MARK_SECONDS
        )
        key, pointer = self._key, self._pointer
        return Scene(
            at=datetime.fromtimestamp(now, UTC),
            frame=frame,
            streamer_id=streamer_id,
            players=players,
            last_input=self._last.label if self._last else "",
            pointer=(pointer.x, pointer.y) if pointer and pointer.x is not None and pointer.y is not None else None,
            marks=marks,
            kept=tuple(self._kept),
            key=Mark(0, 0, key.key, now - key.at) if key and now - key.at < KEY_SECONDS else None,
        )
