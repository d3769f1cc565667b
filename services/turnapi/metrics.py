"""Metrics of the TURN API."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge
from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pixelfleet.service.metrics import Registries
from turnapi.sources import Source


class Metrics:
    """The metrics of one TURN API."""

    def __init__(self, source: Source) -> None:
        self.registries = Registries("turnapi")
        everything = self.registries.all
        self.answers = Counter("turnapi_answers", "Answers, by outcome.", ["outcome"], registry=everything)
        for outcome in ("ok", "unavailable", "bad_request"):
            self.answers.labels(outcome)
        servers = self.registries.custom_gauge("turnapi_servers", "Available TURN servers.")
        servers.set_function(lambda: len(source.servers))
        success = Gauge(
            "turnapi_source_success_timestamp_seconds",
            "Unix time of the last successful update of the servers; 0 before the first.",
            registry=everything,
        )
        success.set_function(lambda: source.last_success or 0.0)
        everything.register(_Failures(source))


class _Failures(Collector):
    """Collects the number of failures of the source."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def collect(self) -> Iterable[Metric]:
        """Return the count."""
        family = CounterMetricFamily("turnapi_source_failures", "Failed updates of the servers.")
        family.add_metric([], self._source.failures)
        return [family]
