"""The signalling server's numbers. The names without a unit are those that existing dashboards read."""

from prometheus_client import Counter

from pixelfleet.runtime.metrics import Registries
from pixelfleet.wire.close_codes import label_of
from signalserver.roster import Role


class Metrics:
    """What a signalling server counts."""

    def __init__(self) -> None:
        self.registries = Registries("signalserver")
        gauge = self.registries.custom_gauge
        self.players = gauge("signalserver_player_socket_connections", "Players connected.")
        self.stream_players = gauge("stream_player_connections", "Players connected, as autoscaling reads it.")
        self.streamers = gauge("signalserver_stream_socket_connections", "Streamers connected.")
        self.streamer_open = gauge("signalserver_stream_socket_open_indicator", "1 when a streamer is listed.")
        self.free = gauge("signalserver_free_stream_indicator", "1 when a listed streamer has no player.")
        self.messages = Counter(
            "signalserver_messages",
            "Messages by direction and type.",
            ["direction", "type"],
            registry=self.registries.all,
        )
        self.dropped = Counter(
            "signalserver_messages_dropped",
            "Messages that went nowhere, by sender and type.",
            ["role", "type"],
            registry=self.registries.all,
        )
        self.closes = Counter(
            "signalserver_closes",
            "Connections ended, by role and reason.",
            ["role", "reason"],
            registry=self.registries.all,
        )

    def closed(self, role: Role, code: int) -> None:
        """Count the end of a connection."""
        self.closes.labels(role.value, label_of(code)).inc()
