"""Metrics: a registry a service, so that several services in one process do not mix their numbers."""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, disable_created_metrics
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from pixelfleet.service.version import VERSION

NOTES_AT_ONCE: Final = 256


class Registries:
    """All metrics of a service, and apart the few gauges that autoscalers read at `/custom`."""

    def __init__(self, service: str) -> None:
        # They would be one more series for each counter and histogram, which no rule reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client has no types for it
        self.all = CollectorRegistry()
        self.custom = CollectorRegistry()
        info = Gauge(
            "pixelfleet_build_info", "Which version runs; always 1.", ["service", "version"], registry=self.all
        )
        info.labels(service, VERSION).set(1)

    def custom_gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        """Return a gauge that both `/metrics` and `/custom` show."""
        gauge = Gauge(name, documentation, labels, registry=self.all)
        self.custom.register(gauge)
        return gauge

    def certificate(self, valid_until: float) -> None:
        """Show until when (unix time) the certificate that is served here is valid."""
        Gauge(
            "pixelfleet_certificate_not_after_timestamp_seconds",
            "Until when the certificate that is served here is valid.",
            registry=self.all,
        ).set(valid_until)


class Notes(Collector):
    """What is counted for each player: noted when it happens, and counted when many have come or somebody looks.

    Counting them one by one takes several times longer, for each finds the processor's caches full of something else.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make this before the metrics that it is for: then a registry that is read has it count first."""
        self._notes: list[tuple[Callable[[float], None], float]] = []
        registry.register(self)

    def __len__(self) -> int:
        return len(self._notes)

    def add(self, count: Callable[[float], None], value: float = 1.0) -> None:
        """Have `count(value)` called before anybody looks at the numbers."""
        self._notes.append((count, value))
        if len(self._notes) >= NOTES_AT_ONCE:
            self.collect()

    def collect(self) -> Iterable[Metric]:
        """Count what was noted; nothing is shown under this name."""
        notes, self._notes = self._notes, []
        for count, value in notes:
            count(value)
        return ()
