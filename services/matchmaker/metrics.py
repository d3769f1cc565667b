"""The matchmaker's numbers, under the names that existing dashboards and autoscaling rules read."""

from pixelfleet.fleet.model import FleetSnapshot
from pixelfleet.runtime.metrics import Registries


class Metrics:
    """What a matchmaker shows."""

    def __init__(self) -> None:
        self.registries = Registries("matchmaker")
        gauge = self.registries.custom_gauge
        self.players = gauge("matchmaker_player_socket_connections", "Players connected to this replica.")
        self._queue = gauge("matchmaker_player_queue_count", "Players waiting, in the whole fleet.")
        self._available = gauge("matchmaker_streamer_available_count", "Streamers with a free slot.")
        self._streamers = gauge("matchmaker_streamer_connections", "Streamers that are ready.")
        self._ratio = gauge("matchmaker_streamer_demand_ratio", "Players for each ready streamer.")

    def fleet(self, snapshot: FleetSnapshot) -> None:
        """Show the state of the fleet."""
        ready = [report for report in snapshot.streamers if report.ready and not report.draining]
        promised: dict[str, set[str]] = {}
        for lease in snapshot.leases:
            promised.setdefault(lease.streamer.key, set()).add(lease.session_id)
        busy = {report.key: promised.get(report.key, set()).union(report.sessions) for report in ready}
        players = len(snapshot.queue) + sum(len(sessions) for sessions in busy.values())
        self._queue.set(len(snapshot.queue))
        self._streamers.set(len(ready))
        self._available.set(sum(not r.capacity or len(busy[r.key]) < r.capacity for r in ready))
        self._ratio.set(demand_ratio(players, len(ready)))


def demand_ratio(players: int, streamers: int) -> float:
    """Return players for each streamer; with no streamer, one more than there are players, or 0 for none."""
    if streamers:
        return players / streamers
    return players + 1 if players else 0
