"""The metrics. Integration tests check a running server's with promtool."""

from collections import Counter

import pytest
from prometheus_client.exposition import generate_latest

from pixelfleet.protocol import close_codes
from signalserver.core.roster import Role
from signalserver.message_tallies import RELAY_BUCKETS
from signalserver.metrics import Metrics
from tests.reference import GAUGES


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def series(metrics: Metrics) -> dict[str, float]:
    lines = generate_latest(metrics.registries.all).decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def test_autoscalers_get_their_gauges_and_nothing_else(metrics: Metrics) -> None:
    assert {family.name for family in metrics.registries.custom.collect()} == GAUGES
    assert set(series(metrics)) >= GAUGES


def test_messages_are_counted_by_type_and_direction(metrics: Metrics) -> None:
    metrics.messages.received["player", "offer"] += 2
    metrics.messages.sent["offer"] += 3
    metrics.messages.dropped["streamer", "unknown"] += 4
    shown = series(metrics)
    assert shown['signalserver_messages_received_total{role="player",type="offer"}'] == 2
    assert shown['signalserver_messages_sent_total{type="offer"}'] == 3
    assert shown['signalserver_messages_dropped_total{role="streamer",type="unknown"}'] == 4


def test_the_time_in_the_server_is_a_histogram(metrics: Metrics) -> None:
    for seconds in (0.000005, RELAY_BUCKETS[0], 0.00003, 5.0):
        metrics.messages.relayed(seconds)
    shown = series(metrics)
    name = "signalserver_relay_seconds"
    assert shown[f'{name}_bucket{{le="1e-05"}}'] == 2
    assert shown[f'{name}_bucket{{le="5e-05"}}'] == 3
    assert shown[f'{name}_bucket{{le="0.1"}}'] == 3
    assert shown[f'{name}_bucket{{le="+Inf"}}'] == shown[f"{name}_count"] == 4
    assert shown[f"{name}_sum"] == pytest.approx(5.000045)


def test_closes_are_counted_by_reason_in_a_bounded_number_of_series(metrics: Metrics) -> None:
    metrics.closed(Role.PLAYER, close_codes.KICKED.code)
    for code in range(3000, 5000):
        metrics.closed(Role.PLAYER, code)
    shown = series(metrics)
    assert shown['signalserver_closes_total{reason="kicked",role="player"}'] == 2
    closes = [name for name in shown if name.startswith("signalserver_closes_total")]
    assert len(closes) <= len(close_codes.catalogue()) + 1


def test_players_are_counted_by_how_they_ended(metrics: Metrics) -> None:
    for code in (1000, 1001, 1006, 4002, 4300, 4301, 4302, *range(3000, 4000)):
        metrics.closed(Role.PLAYER, code)
        metrics.closed(Role.STREAMER, code)
    shown = series(metrics)
    endings = {name: value for name, value in shown.items() if name.startswith("signalserver_players_left_total")}
    assert endings == {
        'signalserver_players_left_total{ending="left"}': 1001,
        'signalserver_players_left_total{ending="closed"}': 2,
        'signalserver_players_left_total{ending="lost"}': 2,
        'signalserver_players_left_total{ending="timed_out"}': 2,
    }


def test_counts_of_other_objects_are_read_on_each_scrape(metrics: Metrics) -> None:
    outcomes = Counter(ok=1)
    metrics.application.watch_calls(outcomes)
    metrics.watch_handshakes(lambda: 7)
    outcomes["timeout"] += 2
    shown = series(metrics)
    assert shown['signalserver_control_calls_total{outcome="ok"}'] == 1
    assert shown['signalserver_control_calls_total{outcome="timeout"}'] == 2
    assert shown["signalserver_handshakes_timed_out_total"] == 7


def test_the_version_is_a_metric(metrics: Metrics) -> None:
    (build,) = (name for name in series(metrics) if name.startswith("pixelfleet_build_info"))
    assert 'service="signalserver"' in build
