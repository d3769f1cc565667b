"""The limits of one client address: whose address it is, and when a join is refused."""

from http import HTTPStatus
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from structlog.testing import capture_logs

from matchmaker.client_limits import LOCAL, ClientLimits
from pixelfleet.net.request_head import RequestHead


def limits(proxies: int = 0, joins_per_minute: float = 0, connections: int = 0) -> ClientLimits:
    return ClientLimits(proxies=proxies, joins_per_minute=joins_per_minute, connections=connections)


def head(remote: str, *forwarded: str) -> RequestHead:
    headers = CIMultiDict(("X-Forwarded-For", each) for each in forwarded)
    return RequestHead("GET", "/", CIMultiDictProxy(headers), remote)


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "client"),
    [
        (0, "192.0.2.1", [], "192.0.2.1"),
        (0, "192.0.2.1", ["198.51.100.7"], "192.0.2.1"),  # not trusted
        (1, "192.0.2.1", ["198.51.100.7"], "198.51.100.7"),
        (1, "192.0.2.1", ["6.6.6.6, 198.51.100.7"], "198.51.100.7"),
        (2, "192.0.2.1", ["6.6.6.6", "198.51.100.7, 10.0.0.1"], "198.51.100.7"),
        (0, "2001:db8:1:2::5", [], "2001:db8:1:2::/64"),
        (0, "127.0.0.1", ["198.51.100.7"], "198.51.100.7"),  # a router of this machine
        (0, "::1", ["6.6.6.6, 198.51.100.7"], "198.51.100.7"),
        (0, "127.0.0.1", [], LOCAL),
        (0, "127.9.8.7", [], LOCAL),
        (0, "::1", [], LOCAL),
        (0, "::ffff:127.0.0.1", [], LOCAL),
        (1, "192.0.2.1", ["127.0.0.1"], LOCAL),  # a browser of the machine on which the router runs
        (0, "127.0.0.1", ["no address"], LOCAL),
    ],
)
async def test_a_client_is_counted_by_its_own_address(
    proxies: int, remote: str, forwarded: list[str], client: str
) -> None:
    assert limits(proxies).client(head(remote, *forwarded)) == client


async def test_joins_of_one_client_are_refused_after_half_a_minutes_worth(monkeypatch: pytest.MonkeyPatch) -> None:
    made, request = limits(joins_per_minute=6), head("192.0.2.1")
    now = 100.0
    monkeypatch.setattr(made, "_now", lambda: now)
    assert [made.check("192.0.2.1", request) for _ in range(3)] == [None] * 3
    refused: Any = made.check("192.0.2.1", request)
    assert refused.status == HTTPStatus.TOO_MANY_REQUESTS
    assert refused.body == b"too many new players from this address"
    assert refused.headers == {"Retry-After": "11"}
    assert made.check("192.0.2.2", request) is None
    now = 110.0
    assert made.check("192.0.2.1", request) is None


async def test_open_connections_of_one_client_are_limited() -> None:
    made, request = limits(connections=2), head("192.0.2.1")
    for client in ("192.0.2.1", "192.0.2.1", LOCAL, LOCAL):
        made.opened(client)
    refused: Any = made.check("192.0.2.1", request)
    assert (refused.status, refused.body) == (429, b"too many players from this address")
    assert made.check("192.0.2.2", request) is None
    made.closed("192.0.2.1")
    assert made.check("192.0.2.1", request) is None


async def test_clients_on_this_machine_and_limits_of_zero_refuse_nobody() -> None:
    for made, client in ((limits(joins_per_minute=1, connections=1), LOCAL), (limits(), "192.0.2.1")):
        for _ in range(500):
            assert made.check(client, head("127.0.0.1")) is None
            made.opened(client)


@pytest.mark.parametrize(("proxies", "forwarded", "warnings"), [(0, ["6.6.6.6"], 1), (1, ["6.6.6.6"], 0), (0, [], 0)])
async def test_a_refused_client_that_is_probably_a_proxy_is_logged_once(
    proxies: int, forwarded: list[str], warnings: int
) -> None:
    made, request = limits(proxies, joins_per_minute=2), head("192.0.2.1", *forwarded)
    with capture_logs() as logs:
        for _ in range(5):
            made.check("192.0.2.1", request)
    assert [each["client"] for each in logs] == ["192.0.2.1"] * warnings
