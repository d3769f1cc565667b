import ssl
import time
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives import serialization

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


def protected(key: Path, folder: Path) -> Path:
    """Return a file with the same key under a pass phrase."""
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    encrypted = folder / "protected.pem"
    encrypted.write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"open sesame"),
        )
    )
    return encrypted


async def test_each_unusable_file_is_named_with_its_own_option(tmp_path: Path) -> None:
    made, other = make_certificate(tmp_path), make_certificate(tmp_path, "other")
    noise, missing = tmp_path / "noise.pem", tmp_path / "missing.pem"
    noise.write_bytes(b"\x00\xff" * 100)
    good, key = made.certificate, made.key
    for certificate, private, error in (
        (missing, key, f"--tls-cert {missing}: No such file"),
        (good, missing, f"--tls-key {missing}: No such file"),
        (tmp_path, key, f"--tls-cert {tmp_path}: Is a directory"),
        (good, tmp_path, f"--tls-key {tmp_path}: Is a directory"),
        (noise, key, f"--tls-cert {noise}: has no usable certificate"),
        (good, noise, f"--tls-key {noise}: has no usable private key"),
        (key, good, f"--tls-cert {key}: has no usable certificate"),
        (good, good, f"--tls-key {good}: has no usable private key"),
        (good, other.key, f"--tls-key {other.key}: does not belong to --tls-cert {good}"),
        (good, Path("/dev/zero"), "--tls-key /dev/zero: is larger than"),
    ):
        with pytest.raises(UsageError) as refused:
            await server_context(certificate, private)
        assert "\n" not in str(refused.value)
        assert str(refused.value).startswith(error)


async def test_a_key_with_a_pass_phrase_is_refused_without_a_prompt(tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    key = protected(made.key, tmp_path)
    with pytest.raises(UsageError, match=r"^--tls-key .*protected\.pem: has a pass phrase.*openssl pkey"):
        await server_context(made.certificate, key)
    both = tmp_path / "both.pem"
    both.write_bytes(made.certificate.read_bytes() + key.read_bytes())
    with pytest.raises(UsageError, match=r"^--tls-cert .*both\.pem: has a pass phrase"):
        await server_context(both, None)


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
