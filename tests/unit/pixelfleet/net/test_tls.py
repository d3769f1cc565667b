import ssl
import time
from pathlib import Path

import aiohttp
import pytest

from pixelfleet.net.ports import plain_port
from pixelfleet.net.tls import client_context, redirect_app, server_context, valid_until
from pixelfleet.service.errors import UsageError
from tests.unit.pixelfleet.net.certificates import make_certificate


async def test_without_a_certificate_there_is_no_tls() -> None:
    assert await server_context(None, None) is None


async def test_a_certificate_is_loaded(tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    context = await server_context(made.certificate, made.key)
    assert context is not None
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


async def test_the_end_of_a_certificate_is_known(tmp_path: Path) -> None:
    left = await valid_until(make_certificate(tmp_path).certificate) - time.time()
    assert 3500 < left < 3601


async def test_files_that_are_of_no_use_are_named(tmp_path: Path) -> None:
    made, other = make_certificate(tmp_path), make_certificate(tmp_path, "other")
    noise = tmp_path / "noise.pem"
    noise.write_bytes(b"\x00\xff" * 100)
    for certificate, key in (
        (tmp_path / "missing.pem", made.key),
        (made.certificate, tmp_path / "missing.pem"),
        (noise, noise),
        (made.certificate, other.key),
        (tmp_path, tmp_path),
    ):
        with pytest.raises(UsageError) as refused:
            await server_context(certificate, key)
        assert "\n" not in str(refused.value)
        assert str(refused.value).startswith("--tls-")


async def test_an_authority_is_trusted_alone_or_besides_the_systems(tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    assert await client_context(None, "--some-ca") is None
    alone = await client_context(made.certificate, "--some-ca")
    besides = await client_context(made.certificate, "--some-ca", besides_system=True)
    assert alone is not None
    assert besides is not None
    assert alone.cert_store_stats()["x509"] == 1
    assert besides.cert_store_stats()["x509"] == ssl.create_default_context().cert_store_stats()["x509"] + 1
    assert alone.verify_mode == besides.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize("besides_system", [False, True])
async def test_an_authority_that_is_of_no_use_is_named(tmp_path: Path, besides_system: bool) -> None:
    noise = tmp_path / "noise.pem"
    noise.write_bytes(b"\x00\xff" * 100)
    for authority in (tmp_path / "missing.pem", noise, tmp_path):
        with pytest.raises(UsageError) as refused:
            await client_context(authority, "--some-ca", besides_system=besides_system)
        assert "\n" not in str(refused.value)
        assert str(refused.value).startswith(f"--some-ca {authority}: ")


@pytest.mark.parametrize(
    ("port", "target"),
    [(443, "https://127.0.0.1/a%20b?c=d&c=e"), (8443, "https://127.0.0.1:8443/a%20b?c=d&c=e")],
)
async def test_plain_requests_are_sent_to_the_tls_port(port: int, target: str) -> None:
    async with (
        plain_port(redirect_app(port), host="127.0.0.1", port=0, option="--redirect-port") as plain,
        aiohttp.ClientSession(f"http://127.0.0.1:{plain}") as http,
    ):
        for method in ("GET", "POST"):
            async with http.request(method, "/a%20b?c=d&c=e", allow_redirects=False) as answer:
                assert answer.status == 308
                assert answer.headers["Location"] == target
                assert answer.headers["Connection"] == "close"
