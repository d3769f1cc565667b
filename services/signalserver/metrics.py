"""The signalling server's metrics. The gauges have the names that existing dashboards and autoscalers read.

Messages are counted in plain integers and become metrics on a scrape: a Prometheus counter costs about as much per
message as parsing does.
"""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pixelfleet.protocol.close_codes import label_of
from pixelfleet.protocol.endings import Ending, ending_of
from pixelfleet.protocol.first_frame import STEPS
from pixelfleet.protocol.messages import PATH_KINDS
from pixelfleet.protocol.video_failure import codec_label
from pixelfleet.service.metrics import Registries
from signalserver.core.roster import Role
from signalserver.core.session_time import Limit
from signalserver.rtc_config import RtcConfigSource

RELAY_BUCKETS: Final = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.1)
"""Seconds from a message's arrival to the last byte handed to the kernel."""

RESTART_CAUSES: Final = ("session", "crash", "launch", "stuck")
"""Why an application was restarted: the values of `signalserver.launcher.lifecycle.Cause`."""

APPLICATION_READY_BUCKETS: Final = (0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)
"""Seconds from the end of a session until the new application is ready for the next one."""

FIRST_FRAME_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
"""Seconds from opening the page; the longer ones are queues."""


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


class Metrics:
    """The metrics of one signalling server."""

    def __init__(self) -> None:
        self.registries = Registries("signalserver")
        gauge = self.registries.custom_gauge
        self.players = gauge("signalserver_player_socket_connections", "Players connected.")
        self.stream_players = gauge("stream_player_connections", "Players connected, as autoscaling reads it.")
        self.streamers = gauge("signalserver_stream_socket_connections", "Streamers connected.")
        self.streamer_open = gauge("signalserver_stream_socket_open_indicator", "1 when a streamer is listed.")
        self.matchmaker_open = gauge(
            "signalserver_matchmaker_socket_open_indicator", "1 when the fleet store or the matchmaker is reachable."
        )
        self.free = gauge(
            "signalserver_free_stream_indicator",
            "1 when a listed streamer is free and the server does not drain.",
        )
        self.draining = Gauge("signalserver_draining", "1 while the server drains.", registry=self.registries.all)
        self.stuck = Gauge(
            "signalserver_application_stuck",
            "1 when the application is not connected, or does not answer its players.",
            registry=self.registries.all,
        )
        self.messages = MessageTallies()
        self.registries.all.register(self.messages)
        self.closes = Counter(
            "signalserver_closes",
            "Connections ended, by role and reason.",
            ["role", "reason"],
            registry=self.registries.all,
        )
        left = Counter(
            "signalserver_players_left",
            "Players whose connection has ended, by how it ended at the service that held the player's socket.",
            ["ending"],
            registry=self.registries.all,
        )
        self._left = {ending: left.labels(ending.value) for ending in Ending}
        self.refused = Counter(
            "signalserver_upgrades_refused",
            "Websockets refused with an HTTP status, by role and reason.",
            ["role", "reason"],
            registry=self.registries.all,
        )
        self.sessions_resumed = Counter(
            "pixelfleet_sessions_resumed",
            "Pages that returned to their session: resume is without, fresh with a new negotiation.",
            ["how"],
            registry=self.registries.all,
        )
        self.sessions_expired = Counter(
            "pixelfleet_sessions_expired",
            "Sessions that ended because the player did not return in time, by how its connection had ended.",
            ["cause"],
            registry=self.registries.all,
        )
        self.sessions_limited = Counter(
            "pixelfleet_sessions_limited",
            "Sessions that a limit has ended: time is the longest session, idle the time without input.",
            ["limit"],
            registry=self.registries.all,
        )
        for limit in Limit:
            self.sessions_limited.labels(limit.value)
        for how in ("resume", "fresh"):
            self.sessions_resumed.labels(how)
        for cause in ("lost", "closed", "timed_out"):
            self.sessions_expired.labels(cause)
        self._video_failures = Counter(
            "signalserver_video_failures",
            "Players that can show no video, by reason and codec.",
            ["reason", "codec"],
            registry=self.registries.all,
        )
        self._first_frame = Histogram(
            "signalserver_first_frame_seconds",
            "Time from opening the page to its first frame, as reported by pages.",
            buckets=FIRST_FRAME_BUCKETS,
            registry=self.registries.all,
        )
        step_seconds = Histogram(
            "signalserver_first_frame_step_seconds",
            "Time of each step to the first frame, as reported by pages.",
            ["step"],
            buckets=FIRST_FRAME_BUCKETS,
            registry=self.registries.all,
        )
        self._steps = {step: step_seconds.labels(step) for step in STEPS.values()}
        self.application_ready = Histogram(
            "signalserver_application_ready_seconds",
            "Time from the end of the last session until the new application is ready for the next one.",
            buckets=APPLICATION_READY_BUCKETS,
            registry=self.registries.all,
        )
        self._restarts: Mapping[str, int] = dict.fromkeys(RESTART_CAUSES, 0)
        self.registries.all.register(
            TallyCollector(
                "signalserver_application_restarts",
                "Restarts of the application, by cause: end of a session, launch parameters, crash, no connection.",
                lambda: self._restarts,
                label="cause",
            )
        )
        self.application_end_failures = Counter(
            "signalserver_application_end_failures",
            "Failed attempts to end the application after a session.",
            registry=self.registries.all,
        )

    def first_frame(self, steps: Mapping[str, float]) -> None:
        """Count a player's first frame; `steps` are seconds by step."""
        self._first_frame.observe(sum(steps.values()))
        for step, seconds in steps.items():
            self._steps[step].observe(seconds)

    def video_failed(self, reason: str, codecs: Sequence[str]) -> None:
        """Count a player that can show no video; `codecs` are the offered ones, the preferred one first."""
        self._video_failures.labels(reason, codec_label(reason, codecs)).inc()

    def watch_away(self, count: Callable[[], int]) -> None:
        """Export the number of away players."""
        gauge = Gauge(
            "pixelfleet_sessions_away",
            "Sessions that are kept for a player whose connection has ended.",
            registry=self.registries.all,
        )
        gauge.set_function(count)

    def watch_handshakes(self, timed_out: Callable[[], int]) -> None:
        """Export the number of connections that were closed because they sent no request in time."""
        self.registries.all.register(
            TallyCollector("signalserver_handshakes_timed_out", "Connections closed without a request.", timed_out)
        )

    def watch_config(self, source: RtcConfigSource) -> None:
        """Export the last success and the failures of requests to the TURN API."""
        success = Gauge(
            "signalserver_rtc_config_success_timestamp_seconds",
            "Time of the TURN API's last good response; 0 for none.",
            registry=self.registries.all,
        )
        success.set_function(lambda: source.last_success or 0.0)
        self.registries.all.register(
            TallyCollector(
                "signalserver_rtc_config_failures", "Failed requests to the TURN API.", lambda: source.failures
            )
        )

    def watch_marks(self, failures: Callable[[], int]) -> None:
        """Export the number of failed requests to annotate the pod."""
        self.registries.all.register(
            TallyCollector("signalserver_pod_mark_failures", "Failed requests to annotate this pod.", failures)
        )

    def watch_application(self, restarts: Mapping[str, int]) -> None:
        """Export the restarts of the application by cause; without this call they are 0."""
        self._restarts = restarts

    def watch_calls(self, outcomes: Mapping[str, int]) -> None:
        """Export the players' calls to the application by outcome."""
        self.registries.all.register(
            TallyCollector(
                "signalserver_control_calls",
                "Players' calls to the application, by outcome.",
                lambda: outcomes,
                label="outcome",
            )
        )

    def closed(self, role: Role, code: int) -> None:
        """Count the end of a connection; for a player, also how it ended."""
        self.closes.labels(role.value, label_of(code)).inc()
        if role is Role.PLAYER:
            self._left[ending_of(code)].inc()
