"""Metrics: a registry a service, so that several services in one process do not mix their numbers."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import CollectorRegistry, Gauge


def _installed_version() -> str:
    try:
        return version("pixelfleet")
    except PackageNotFoundError:  # run from a tree that was never installed
        return "0+unknown"


VERSION: Final = _installed_version()
"""The version of the installed distribution."""


class Registries:
    """All metrics of a service, and apart the few gauges that autoscalers read at `/custom`."""

    def __init__(self, service: str) -> None:
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
