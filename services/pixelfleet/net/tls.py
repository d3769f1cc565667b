"""TLS contexts for the services' own ports and for connections to other servers."""

import asyncio
import ssl
from pathlib import Path
from typing import Final, NoReturn

from aiohttp import web
from cryptography import x509

from pixelfleet.service.errors import UsageError

MAX_FILE_BYTES: Final = 1024 * 1024


async def server_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Return a TLS context, or None without a certificate; raise UsageError for files that cannot be used."""
    if certificate is None:
        return None
    return await asyncio.to_thread(_load, certificate, key)


def _load(certificate: Path, key: Path | None) -> ssl.SSLContext:
    # OpenSSL's errors do not distinguish the two files, so each is checked alone before.
    option, where = ("--tls-key", key) if key is not None else ("--tls-cert", certificate)
    _check_certificates(f"--tls-cert {certificate}", certificate)
    _read(f"{option} {where}", where)

    def refuse_pass_phrase() -> NoReturn:
        raise UsageError(
            f"{option} {where}: has a pass phrase, which is not supported; "
            "write a key without one with `openssl pkey -in FILE -out NEW_FILE`"
        )

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without the function OpenSSL would prompt at the terminal.
        context.load_cert_chain(certificate, key, refuse_pass_phrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UsageError(f"{option} {where}: does not belong to --tls-cert {certificate}") from None
        raise UsageError(f"{option} {where}: has no usable private key; it must be PEM") from None
    return context


def _check_certificates(option: str, file: Path) -> None:
    """Raise UsageError for a file without certificates."""
    try:
        x509.load_pem_x509_certificates(_read(option, file))
    except ValueError:
        raise UsageError(f"{option}: has no usable certificate; it must be PEM") from None


def _read(option: str, file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{option}: {error.strerror}; give the path of a readable PEM file") from None
    if len(content) > MAX_FILE_BYTES:
        raise UsageError(f"{option}: is larger than {MAX_FILE_BYTES} bytes; it must be a PEM file")
    return content


async def client_context(authority: Path | None, option: str, *, besides_system: bool = False) -> ssl.SSLContext | None:
    """Return a context that trusts only a certificate authority (PEM), or also those of the system.

    Returns None without an authority: the caller's default applies. Raises UsageError, which names the option, for a
    file that cannot be used.
    """
    if authority is None:
        return None
    return await asyncio.to_thread(_trusting, authority, option, besides_system)


def _trusting(authority: Path, option: str, besides_system: bool) -> ssl.SSLContext:
    _check_certificates(f"{option} {authority}", authority)
    if not besides_system:
        return ssl.create_default_context(cafile=authority)
    context = ssl.create_default_context()
    context.load_verify_locations(authority)
    return context


async def valid_until(certificate: Path) -> float:
    """Return the unix time until which a certificate is valid that `server_context` has loaded."""
    chain = await asyncio.to_thread(certificate.read_bytes)
    # The server's own certificate is the first of the chain.
    return x509.load_pem_x509_certificate(chain).not_valid_after_utc.timestamp()


def redirect_app(tls_port: int) -> web.Application:
    """Return an app that redirects every request to the same URL on the TLS port."""

    async def redirect(request: web.Request) -> web.Response:
        host = request.url.host
        if host is None:
            raise web.HTTPBadRequest(reason="no host")
        target = request.url.with_scheme("https").with_port(None if tls_port == 443 else tls_port)
        answer = web.HTTPPermanentRedirect(target)
        answer.force_close()  # the client goes on at the other port
        raise answer

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", redirect)
    return app
