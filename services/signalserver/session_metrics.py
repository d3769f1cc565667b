"""The metrics of sessions: how they go on and end, and what pages report of their video."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from pixelfleet.protocol.first_frame import STEPS
from pixelfleet.protocol.video_failure import codec_label
from signalserver.core.session_time import Limit

FIRST_FRAME_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
"""Seconds from opening the page; the longer ones are queues."""


class SessionMetrics:
    """Sessions that were resumed, that expired while their player was away, and that a limit has ended."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.resumed = Counter(
            "pixelfleet_sessions_resumed",
            "Pages that returned to their session: resume is without, fresh with a new negotiation.",
            ["how"],
            registry=registry,
        )
        self.expired = Counter(
            "pixelfleet_sessions_expired",
            "Sessions that ended because the player did not return in time, by how its connection had ended.",
            ["cause"],
            registry=registry,
        )
        self.limited = Counter(
            "pixelfleet_sessions_limited",
            "Sessions that a limit has ended: time is the longest session, idle the time without input.",
            ["limit"],
            registry=registry,
        )
        for limit in Limit:
            self.limited.labels(limit.value)
        for how in ("resume", "fresh"):
            self.resumed.labels(how)
        for cause in ("lost", "closed", "timed_out"):
            self.expired.labels(cause)

    def watch_away(self, count: Callable[[], int]) -> None:
        """Export the number of away players."""
        gauge = Gauge(
            "pixelfleet_sessions_away",
            "Sessions that are kept for a player whose connection has ended.",
            registry=self._registry,
        )
        gauge.set_function(count)


class VideoMetrics:
    """The first frames of players, and players that can show no video."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._failures = Counter(
            "signalserver_video_failures",
            "Players that can show no video, by reason and codec.",
            ["reason", "codec"],
            registry=registry,
        )
        self._first_frame = Histogram(
            "signalserver_first_frame_seconds",
            "Time from opening the page to its first frame, as reported by pages.",
            buckets=FIRST_FRAME_BUCKETS,
            registry=registry,
        )
        step_seconds = Histogram(
            "signalserver_first_frame_step_seconds",
            "Time of each step to the first frame, as reported by pages.",
            ["step"],
            buckets=FIRST_FRAME_BUCKETS,
            registry=registry,
        )
        self._steps = {step: step_seconds.labels(step) for step in STEPS.values()}

    def first_frame(self, steps: Mapping[str, float]) -> None:
        """Count a player's first frame; `steps` are seconds by step."""
        self._first_frame.observe(sum(steps.values()))
        for step, seconds in steps.items():
            self._steps[step].observe(seconds)

    def failed(self, reason: str, codecs: Sequence[str]) -> None:
        """Count a player that can show no video; `codecs` are the offered ones, the preferred one first."""
        self._failures.labels(reason, codec_label(reason, codecs)).inc()
