"""TLS contexts for the services' own ports and for connections to other servers."""

import asyncio
import ssl
from pathlib import Path

from aiohttp import web
from cryptography import x509

from pixelfleet.service.errors import UsageError


async def server_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Return a TLS context, or None without a certificate; raise UsageError for files that cannot be used."""
    if certificate is None:
        return None
    return await asyncio.to_thread(_load, certificate, key)


def _load(certificate: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:  # includes ssl.SSLError
        raise UsageError(f"--tls-cert {certificate}: {error.strerror or 'cannot be used'}; it must be PEM") from None
    return context


async def client_context(authority: Path | None, option: str, *, besides_system: bool = False) -> ssl.SSLContext | None:
    """Return a context that trusts only a certificate authority (PEM), or also those of the system.

    Returns None without an authority: the caller's default applies. Raises UsageError, which names the option, for a
    file that cannot be used.
    """
    if authority is None:
        return None
    return await asyncio.to_thread(_trusting, authority, option, besides_system)


def _trusting(authority: Path, option: str, besides_system: bool) -> ssl.SSLContext:
    try:
        if not besides_system:
            return ssl.create_default_context(cafile=authority)
        context = ssl.create_default_context()
        context.load_verify_locations(authority)
    except OSError as error:  # includes ssl.SSLError
        raise UsageError(f"{option} {authority}: {error.strerror or 'cannot be used'}; it must be PEM") from None
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
        raise web.HTTPPermanentRedirect(target)

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", redirect)
    return app
