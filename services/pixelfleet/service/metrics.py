"""Metrics: one registry for each service, so that several services can run in one process."""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from pixelfleet.service.log_writer import dropped_lines
from pixelfleet.service.process_metrics import ProcessMetrics
from pixelfleet.service.version import VERSION

MAX_PENDING_NOTES: Final = 256


class Registries:
    """The registry of all metrics of a service, and the registry of the gauges at `/custom` for autoscalers."""

    def __init__(self, service: str) -> None:
        # They would be one more series for each counter and histogram, which no rule reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client has no types for it
        self.all = CollectorRegistry()
        self.custom = CollectorRegistry()
        info = Gauge(
            "pixelfleet_build_info",
            "The version of the service, as a label; always 1.",
            ["service", "version"],
            registry=self.all,
        )
        info.labels(service, VERSION).set(1)
        self.all.register(_DroppedLogLines())
        self.all.register(ProcessMetrics())

    def custom_gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        """Return a gauge of both `/metrics` and `/custom`."""
        gauge = Gauge(name, documentation, labels, registry=self.all)
        self.custom.register(gauge)
        return gauge

    def certificate(self, valid_until: float) -> None:
        """Add a gauge with the expiry of the served certificate as unix time."""
        Gauge(
            "pixelfleet_certificate_not_after_timestamp_seconds",
            "Expiry of the served TLS certificate as unix time.",
            registry=self.all,
        ).set(valid_until)


class _DroppedLogLines(Collector):
    """The number of log lines that the process has dropped."""

    def collect(self) -> Iterable[Metric]:
        """Return the counter."""
        yield CounterMetricFamily(
            "pixelfleet_log_lines_dropped",
            "Log lines that were dropped because stderr was closed, full or blocked.",
            value=dropped_lines(),
        )


class Notes(Collector):
    """Deferred updates of metrics: applied in batches, and before each collection.

    Single updates take several times longer, because the processor's caches hold other data.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        """Create this before its metrics, so that the registry collects it first."""
        self._notes: list[tuple[Callable[[float], None], float]] = []
        registry.register(self)

    def __len__(self) -> int:
        return len(self._notes)

    def add(self, count: Callable[[float], None], value: float = 1.0) -> None:
        """Schedule `count(value)`, which is called before the next collection."""
        self._notes.append((count, value))
        if len(self._notes) >= MAX_PENDING_NOTES:
            self.collect()

    def collect(self) -> Iterable[Metric]:
        """Apply the pending updates; return no metrics."""
        notes, self._notes = self._notes, []
        for count, value in notes:
            count(value)
        return ()
