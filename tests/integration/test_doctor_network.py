"""The doctor on names, addresses and certificates."""

import asyncio
import datetime
import socket
import sys
from pathlib import Path

import pytest

from pixelfleet_cli.doctor.findings.network import Lookup
from tests.integration.conftest import running_chain
from tests.parts import PATIENCE_SECONDS, free_port, program, require_part
from tests.unit.pixelfleet.net.certificates import make_certificate
from tests.unit.pixelfleet_cli.doctor.doctors import examine

pytestmark = pytest.mark.integration

DAY = datetime.timedelta(days=1)
EVERY_ADDRESS = "0.0.0.0"


async def test_a_host_without_an_address() -> None:
    report = await examine(f"http://{'x' * 64}.invalid/")
    assert (report.code, report.names()) == (2, ["name-unknown"])
    assert "not checked: address failed" in report.summary("websocket")


async def test_a_resolver_that_does_not_answer(tmp_path: Path) -> None:
    """In a mount namespace the system's resolver is one that refuses."""
    unshare = require_part("unshare")
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    mounted = f"mount --bind {resolver} /etc/resolv.conf"
    async with program(unshare, "--map-root-user", "--mount", "sh", "-c", mounted) as process:
        await process.wait()
    if process.returncode != 0:
        pytest.skip("this machine allows no mount namespaces")
    command = f"{mounted} && exec python -m pixelfleet_cli.cli doctor http://play.example/"
    path = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    async with (
        program(unshare, "--map-root-user", "--mount", "sh", "-c", command, env=path) as process,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        out, err = await process.communicate()
    assert (process.returncode, err) == (2, b"")
    assert b"dns-failed" in out


async def test_a_port_without_a_listener() -> None:
    report = await examine(f"http://127.0.0.1:{free_port()}/")
    assert (report.code, report.names()) == (2, ["connection-refused"])


async def test_a_host_that_answers_no_connection() -> None:
    """Linux drops connections to a listener whose queue is full, as a firewall does."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        queued = [socket.socket() for _ in range(4)]
        try:
            for each in queued:
                each.setblocking(False)
                each.connect_ex(address)
            report = await examine(f"http://127.0.0.1:{address[1]}/", "--seconds", "1")
        finally:
            for each in queued:
                each.close()
    assert (report.code, report.names()) == (2, ["no-connection"])


async def test_one_of_two_addresses_is_dead(page_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look_up(host: str, _port: int, _seconds: float) -> Lookup:
        return Lookup(host, ("127.0.0.1", "127.0.0.2"))

    monkeypatch.setattr("pixelfleet_cli.doctor.probes.network.look_up", look_up)
    async with running_chain(page_folder) as chain:
        report = await examine(f"http://localhost:{chain.entry.port}/")
    assert report.found("connection") == ["address-dead"]
    assert "127.0.0.2" in report.cause("address-dead")
    assert report.code == 1


async def test_a_page_without_tls(page_folder: Path) -> None:
    async with running_chain(page_folder) as chain:
        assert "not-encrypted" not in (await examine(chain.page_url)).names()
        assert (await examine(f"http://{EVERY_ADDRESS}:{chain.entry.port}/")).found("certificate") == ["not-encrypted"]


async def test_tls_to_a_port_without_it(page_folder: Path) -> None:
    async with running_chain(page_folder) as chain:
        report = await examine(chain.page_url.replace("http:", "https:"), "--seconds", "1")
    assert (report.code, report.names()) == (2, ["tls-failed"])


async def test_http_to_a_port_with_tls(page_folder: Path, tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    async with running_chain(page_folder, entry={"tls_cert": made.certificate, "tls_key": made.key}) as chain:
        report = await examine(chain.page_url, "--seconds", "1")
    assert report.found("page") == ["no-http"]
    assert report.code == 2


@pytest.mark.parametrize(
    ("name", "starts", "ends", "trusted", "finding"),
    [
        ("localhost", -60 * DAY, 60 * DAY, True, ""),
        ("localhost", -60 * DAY, 3 * DAY, True, "certificate-ends-soon"),
        ("localhost", -60 * DAY, -2 * DAY, True, "certificate-expired"),
        ("localhost", 2 * DAY, 60 * DAY, True, "certificate-not-yet-valid"),
        ("other.example", -60 * DAY, 60 * DAY, True, "certificate-wrong-name"),
        ("localhost", -60 * DAY, 60 * DAY, False, "certificate-untrusted"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
async def test_a_certificate(
    page_folder: Path,
    tmp_path: Path,
    name: str,
    starts: datetime.timedelta,
    ends: datetime.timedelta,
    trusted: bool,
    finding: str,
) -> None:
    made = make_certificate(tmp_path, name, starts=starts, ends=ends)
    authority = ["--tls-ca", str(made.certificate)] if trusted else []
    async with running_chain(page_folder, entry={"tls_cert": made.certificate, "tls_key": made.key}) as chain:
        report = await examine(f"https://localhost:{chain.entry.port}/", *authority)
    assert report.found("certificate") == ([finding] if finding else [])
    if finding == "certificate-expired":
        assert report.cause(finding) == "It ended 2 days ago."
    if finding == "certificate-wrong-name":
        assert report.cause(finding) == "It names other.example, and not localhost."
    if not finding or finding == "certificate-ends-soon":
        assert report.checks["page"]["severity"] == "ok"
    else:
        assert report.summary("page") == "not checked: certificate failed"


async def test_a_certificate_for_another_address(page_folder: Path, tmp_path: Path) -> None:
    made = make_certificate(tmp_path, "127.0.0.2", ends=60 * DAY)
    async with running_chain(page_folder, entry={"tls_cert": made.certificate, "tls_key": made.key}) as chain:
        report = await examine(chain.page_url.replace("http:", "https:"), "--tls-ca", str(made.certificate))
    assert report.names() == ["certificate-wrong-name"]
