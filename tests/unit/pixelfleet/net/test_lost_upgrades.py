"""Requests for a websocket that have lost their upgrade at a proxy."""

import pytest
from structlog.testing import capture_logs

from pixelfleet.net.lost_upgrades import MAX_PROXIES, WARNING_SECONDS, LostUpgrades
from pixelfleet.net.request_head import BadHeadError, LostUpgradeError, parse_head

HEAD = [b"GET /ws HTTP/1.1", b"Host: x", b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13"]
KEY = b"Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng=="


def test_each_proxy_is_named_once_a_minute() -> None:
    lost = LostUpgrades()
    with capture_logs() as logs:
        for second in range(59):
            for peer in ("192.0.2.1", "192.0.2.2"):
                lost.warn(peer, "/ws", "why", float(second))
    assert [(entry["proxy"], entry["path"], entry["why"]) for entry in logs] == [
        ("192.0.2.1", "/ws", "why"),
        ("192.0.2.2", "/ws", "why"),
    ]
    with capture_logs() as logs:
        lost.warn("192.0.2.1", "/ws", "why", WARNING_SECONDS)
    assert len(logs) == 1


def test_the_memory_for_proxies_is_bounded() -> None:
    lost = LostUpgrades()
    for number in range(3 * MAX_PROXIES):
        lost.warn(f"10.{number // 256}.0.{number % 256}", "/", "why", 0.0)
    assert len(lost._warnings) == MAX_PROXIES == 1024


@pytest.mark.parametrize(
    ("lines", "lost", "reason"),
    [
        ([b"GET /ws HTTP/1.0", *HEAD[1:], KEY], True, "upgrade-required"),
        ([*HEAD[:3], b"Connection: close", HEAD[4], KEY], True, "upgrade-required"),
        ([*HEAD, b"Sec-WebSocket-Key: short"], False, "bad-request"),
        ([*HEAD[:4], b"Sec-WebSocket-Version: 1", KEY], False, "upgrade-required"),
    ],
)
def test_a_head_that_a_proxy_has_changed_is_distinguished(lines: list[bytes], lost: bool, reason: str) -> None:
    with pytest.raises(BadHeadError) as refused:
        parse_head(b"\r\n".join(lines), "127.0.0.1", "http")
    assert isinstance(refused.value, LostUpgradeError) is lost
    assert refused.value.refusal.all_headers["X-Pixelfleet-Refusal"] == reason
