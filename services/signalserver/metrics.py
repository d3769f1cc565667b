"""The signalling server's metrics. The gauges have the names that existing dashboards and autoscalers read."""

from collections.abc import Callable

from prometheus_client import Counter, Gauge

from pixelfleet.protocol.close_codes import label_of
from pixelfleet.protocol.endings import Ending, ending_of
from pixelfleet.service.metrics import Registries
from signalserver.application_metrics import ApplicationMetrics
from signalserver.core.roster import Role
from signalserver.message_tallies import MessageTallies, TallyCollector
from signalserver.rtc_config import RtcConfigSource
from signalserver.session_metrics import SessionMetrics, VideoMetrics


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
        self.sessions = SessionMetrics(self.registries.all)
        self.video = VideoMetrics(self.registries.all)
        self.application = ApplicationMetrics(self.registries.all)
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

    def closed(self, role: Role, code: int) -> None:
        """Count the end of a connection; for a player, also how it ended."""
        self.closes.labels(role.value, label_of(code)).inc()
        if role is Role.PLAYER:
            self._left[ending_of(code)].inc()
