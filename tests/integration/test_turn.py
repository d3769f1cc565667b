"""The TURN API and `pixelfleet turn-check` against a real coturn."""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aioice import stun, turn
from pydantic import SecretStr

import turnapi.app
import turnapi.check.app
import turnapi.check.settings
from tests.coturn import Coturn, running_coturn
from tests.parts import PATIENCE_SECONDS
from tests.unit.pixelfleet.net.certificates import make_certificate
from turnapi.check.plan import Probe
from turnapi.check.probing import probe_all
from turnapi.credentials import Credentials, SharedSecret
from turnapi.settings import Settings

pytestmark = pytest.mark.integration


@pytest.fixture
async def coturn(tmp_path: Path) -> AsyncIterator[Coturn]:
    async with running_coturn(tmp_path) as running:
        yield running


def turn_api(coturn: Coturn, **settings: Any) -> AbstractAsyncContextManager[turnapi.app.TurnApi]:
    return turnapi.app.running(
        Settings(
            **{
                "host": "127.0.0.1",
                "port": 0,
                "metrics_port": 0,
                "server": [coturn.server],
                "secret": SecretStr(coturn.secret),
                **settings,
            }
        )
    )


async def answer_of(api: turnapi.app.TurnApi, **query: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{api.port}/", params=query) as answer:
        assert answer.status == 200
        body: dict[str, Any] = await answer.json()
        return body


async def allocates(coturn: Coturn, credentials: Credentials) -> str:
    """Return why an allocation over UDP is refused; empty when it succeeds."""
    probe = Probe("UDP", "127.0.0.1", coturn.port, credentials.username, credentials.credential)
    [result] = await probe_all([probe], PATIENCE_SECONDS, tls=None)
    return result.failure


async def test_issued_credentials_allocate(coturn: Coturn) -> None:
    async with turn_api(coturn) as api:
        [server] = (await answer_of(api, name="session-1"))["iceServers"]
    assert server["username"].endswith(":session-1")
    assert await allocates(coturn, Credentials(server["username"], server["credential"])) == ""


async def test_the_hmac_is_what_coturn_computes_and_anything_else_is_refused(coturn: Coturn) -> None:
    made = SharedSecret(SecretStr(coturn.secret)).make("name", time.time(), 600)
    theirs = hmac.new(coturn.secret.encode(), made.username.encode(), hashlib.sha1).digest()
    assert made.credential == base64.b64encode(theirs).decode()
    assert await allocates(coturn, made) == ""
    expiry, _, name = made.username.partition(":")
    tampered = {
        "a later expiry": Credentials(f"{int(expiry) + 3600}:{name}", made.credential),
        "another name": Credentials(f"{expiry}:other", made.credential),
        "another secret": SharedSecret(SecretStr(coturn.secret[::-1])).make("name", time.time(), 600),
        "a password of the caller's": Credentials(made.username, "x" * 28),
        "expired": SharedSecret(SecretStr(coturn.secret)).make("name", time.time() - 700, 600),
    }
    for what, credentials in tampered.items():
        assert "401" in await allocates(coturn, credentials), what
    assert await allocates(coturn, made) == "", "the valid credentials no longer work after the refusals"


async def test_leeway_extends_credentials_for_a_clock_that_is_ahead(coturn: Coturn) -> None:
    late = time.time() - 650
    assert "401" in await allocates(coturn, SharedSecret(SecretStr(coturn.secret)).make("name", late, 600))
    assert await allocates(coturn, SharedSecret(SecretStr(coturn.secret), leeway=3600).make("name", late, 600)) == ""


Check = Callable[..., Awaitable[tuple[int, list[list[str]]]]]


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Check:
    """Run the check; return its exit code and the rows of its table, without the milliseconds."""

    async def run(**settings: Any) -> tuple[int, list[list[str]]]:
        code = await turnapi.check.app.main(
            turnapi.check.settings.Settings(**{"seconds": PATIENCE_SECONDS, **settings})
        )
        output = capsys.readouterr().out
        heading, *lines = output[output.index("server  ") :].splitlines()
        assert heading.split() == ["server", "transport", "ms", "result"]
        rows = [line.split(maxsplit=3) for line in lines]
        assert all(int(row.pop(2)) >= 0 for row in rows)
        return code, rows

    return run


async def test_the_check_lists_each_transport_with_its_time(tmp_path: Path, check: Check) -> None:
    certificate = make_certificate(tmp_path)
    async with running_coturn(tmp_path, certificate=certificate) as coturn:
        ways = ["stun", "udp", "tcp", "tls"]
        async with turn_api(coturn, transports=ways, tls_port=coturn.tls_port) as api:
            code, rows = await check(url=f"http://127.0.0.1:{api.port}", tls_ca=certificate.certificate)
        assert code == 0
        assert rows[:3] == [
            [coturn.server, "STUN", "answers"],
            [coturn.server, "UDP", "relays"],
            [coturn.server, "TCP", "relays"],
        ]
        # The certificate is for localhost; a browser would not accept it for an IP address either.
        server, way, result = rows[3]
        assert (server, way) == (f"127.0.0.1:{coturn.tls_port}", "TLS")
        assert "certificate" in result
        async with turn_api(coturn, server=["localhost"], transports=["tls"], tls_port=coturn.tls_port) as api:
            code, rows = await check(url=f"http://127.0.0.1:{api.port}", tls_ca=certificate.certificate)
        assert (code, rows) == (0, [[f"localhost:{coturn.tls_port}", "TLS", "relays"]])


async def test_the_check_fails_when_stun_answers_and_nothing_relays(
    coturn: Coturn, check: Check, tmp_path: Path
) -> None:
    async with turn_api(coturn, secret=SecretStr("another secret than coturn's")) as api:
        code, rows = await check(url=f"http://127.0.0.1:{api.port}")
    assert code == 1
    assert rows[0] == [coturn.server, "STUN", "answers"]
    assert ["401" in row[2] for row in rows] == [False, True, True]


async def test_the_check_lists_servers_that_do_not_answer(coturn: Coturn, check: Check) -> None:
    await coturn.kill()
    async with turn_api(coturn) as api:
        code, rows = await check(url=f"http://127.0.0.1:{api.port}", seconds=0.5)
    assert code == 1
    assert [row[1] for row in rows] == ["STUN", "UDP", "TCP"]
    assert "no answer" in rows[1][2]
    assert "unreachable" in rows[2][2]


async def test_the_shipped_configuration_relays_to_public_addresses_only(tmp_path: Path) -> None:
    coturn = Coturn(tmp_path, loopback_peers=False)
    made = SharedSecret(SecretStr(coturn.secret)).make("name", time.time(), 600)
    private = ("127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "172.20.0.1", "100.64.0.1", "0.0.0.1")
    loop = asyncio.get_running_loop()
    try:
        await coturn.start()
        transport, client = await loop.create_datagram_endpoint(
            lambda: turn.TurnClientUdpProtocol(
                ("127.0.0.1", coturn.port), made.username, made.credential, lifetime=600, channel_refresh_time=500
            ),
            remote_addr=("127.0.0.1", coturn.port),
        )
        try:
            await client.connect()
            for number, address in enumerate(private):
                with pytest.raises(stun.TransactionFailed) as refused:
                    await client.channel_bind(0x4000 + number, (address, 9))
                assert refused.value.response.error_code == 403, address
            await client.channel_bind(0x4100, ("9.9.9.9", 9))
            await client.delete()
        finally:
            transport.abort()
    finally:
        await coturn.kill()
