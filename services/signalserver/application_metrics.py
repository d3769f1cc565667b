"""The metrics of the streamed application, as far as the signalling server knows of it."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from signalserver.message_tallies import TallyCollector

RESTART_CAUSES: Final = ("session", "crash", "launch", "stuck")
"""Why an application was restarted: the values of `signalserver.launcher.lifecycle.Cause`."""

APPLICATION_READY_BUCKETS: Final = (0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)
"""Seconds from the end of a session until the new application is ready for the next one."""


class ApplicationMetrics:
    """Whether the application is stuck, its restarts, and players' calls to it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.stuck = Gauge(
            "signalserver_application_stuck",
            "1 when the application is not connected, or does not answer its players.",
            registry=registry,
        )
        self.ready = Histogram(
            "signalserver_application_ready_seconds",
            "Time from the end of the last session until the new application is ready for the next one.",
            buckets=APPLICATION_READY_BUCKETS,
            registry=registry,
        )
        self._restarts: Mapping[str, int] = dict.fromkeys(RESTART_CAUSES, 0)
        registry.register(
            TallyCollector(
                "signalserver_application_restarts",
                "Restarts of the application, by cause: end of a session, launch parameters, crash, no connection.",
                lambda: self._restarts,
                label="cause",
            )
        )
        self.end_failures = Counter(
            "signalserver_application_end_failures",
            "Failed attempts to end the application after a session.",
            registry=registry,
        )

    def watch_restarts(self, restarts: Mapping[str, int]) -> None:
        """Export the restarts of the application by cause; without this call they are 0."""
        self._restarts = restarts

    def watch_calls(self, outcomes: Mapping[str, int]) -> None:
        """Export the players' calls to the application by outcome."""
        self._registry.register(
            TallyCollector(
                "signalserver_control_calls",
                "Players' calls to the application, by outcome.",
                lambda: outcomes,
                label="outcome",
            )
        )
