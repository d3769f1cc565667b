"""Counts of messages, and counters whose values other objects keep.

Messages are counted in plain integers and become metrics on a scrape: a Prometheus counter costs about as much per
message as parsing does.
"""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pixelfleet.protocol.messages import PATH_KINDS

RELAY_BUCKETS: Final = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.1)
"""Seconds from a message's arrival to the last byte handed to the kernel."""


class MessageTallies(Collector):
    """Counts of messages in plain integers."""

    def __init__(self) -> None:
        self.received: Tally[tuple[str, str]] = Tally()
        self.sent: Tally[str] = Tally()
        self.dropped: Tally[tuple[str, str]] = Tally()
        self.paths: Tally[str] = Tally(dict.fromkeys(PATH_KINDS, 0))
        self._relay = [0] * (len(RELAY_BUCKETS) + 1)
        self._relay_seconds = 0.0

    def relayed(self, seconds: float) -> None:
        """Count one relayed message and the seconds that it took."""
        self._relay[bisect_left(RELAY_BUCKETS, seconds)] += 1
        self._relay_seconds += seconds

    def collect(self) -> Iterable[Metric]:
        """Return the counts as Prometheus metrics."""
        received = CounterMetricFamily(
            "signalserver_messages_received", "Messages from peers, by their role and type.", labels=["role", "type"]
        )
        for (role, kind), count in self.received.items():
            received.add_metric([role, kind], count)
        sent = CounterMetricFamily("signalserver_messages_sent", "Messages to peers, by type.", labels=["type"])
        for kind, count in self.sent.items():
            sent.add_metric([kind], count)
        dropped = CounterMetricFamily(
            "signalserver_messages_dropped", "Dropped messages, by role and type.", labels=["role", "type"]
        )
        for (role, kind), count in self.dropped.items():
            dropped.add_metric([role, kind], count)
        relay = HistogramMetricFamily(
            "signalserver_relay_seconds", "Time from a message's arrival to its last byte handed to the kernel."
        )
        relay.add_metric([], self._cumulative(), self._relay_seconds)
        paths = CounterMetricFamily(
            "signalserver_video_paths", "ICE paths of players' video, as reported by their pages.", labels=["path"]
        )
        for kind, count in self.paths.items():
            paths.add_metric([kind], count)
        return received, sent, dropped, relay, paths

    def _cumulative(self) -> list[tuple[str, float]]:
        total, buckets = 0, []
        for bound, count in zip((*map(str, RELAY_BUCKETS), "+Inf"), self._relay, strict=True):
            total += count
            buckets.append((bound, float(total)))
        return buckets


class TallyCollector(Collector):
    """A counter whose value another object keeps."""

    def __init__(
        self, name: str, documentation: str, read: Callable[[], int | Mapping[str, int]], label: str | None = None
    ) -> None:
        self._name, self._documentation, self._read, self._label = name, documentation, read, label

    def collect(self) -> Iterable[Metric]:
        """Return the count, or the counts by label."""
        value = self._read()
        labels = [self._label] if self._label else []
        family = CounterMetricFamily(self._name, self._documentation, labels=labels)
        if isinstance(value, Mapping):
            for name, count in value.items():
                family.add_metric([name], count)
        else:
            family.add_metric([], value)
        return [family]
