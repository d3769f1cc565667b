"""DNS, TCP and TLS."""

import asyncio
import socket
import ssl
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from pixelfleet.service.shown import one_line
from pixelfleet_cli.doctor.findings.network import Attempt, Certificate, Lookup

MAX_ADDRESSES: Final = 8
"""The most addresses of a host that are tried."""

MAX_CERTIFICATE_BYTES: Final = 64 * 1024
UNKNOWN_CODES: Final = frozenset(
    code for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY") if (code := getattr(socket, name, None)) is not None
)
"""Errors of getaddrinfo that mean that the name has no address."""


async def look_up(host: str, port: int, seconds: float) -> Lookup:
    """Return the addresses of a host."""
    try:
        async with asyncio.timeout(seconds):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        return Lookup(host, error="failed", why=f"no answer of the resolver in {seconds:g} s")
    except (socket.gaierror, UnicodeError) as error:
        code = error.errno if isinstance(error, socket.gaierror) else None
        is_unknown = code in UNKNOWN_CODES or isinstance(error, UnicodeError)
        return Lookup(host, error="unknown" if is_unknown else "failed", why=_reason(error))
    return Lookup(host, tuple(dict.fromkeys(str(each[4][0]) for each in found))[:MAX_ADDRESSES])


async def try_addresses(addresses: tuple[str, ...], port: int, seconds: float) -> tuple[Attempt, ...]:
    """Connect to each address, at once; return the outcomes in the same order."""
    return tuple(await asyncio.gather(*(_try(address, port, seconds) for address in addresses)))


async def _try(address: str, port: int, seconds: float) -> Attempt:
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return Attempt(address, "timeout", f"no answer in {seconds:g} s")
    except ConnectionRefusedError:
        return Attempt(address, "refused", "connection refused")
    except OSError as error:
        return Attempt(address, "unreachable", _reason(error))
    writer.transport.abort()
    return Attempt(address)


async def certificate_of(host: str, port: int, trusted: ssl.SSLContext, seconds: float) -> Certificate:
    """Return the outcome of a TLS handshake.

    If the verification fails, a second connection reads the certificate; it sends nothing but the handshake.
    """
    try:
        return _described(await _handshake(host, port, trusted, seconds))
    except ssl.SSLCertVerificationError as error:
        code, text = error.verify_code, one_line(error.verify_message)
    except (OSError, TimeoutError, ssl.SSLError) as error:
        return Certificate(tls_error=_tls_reason(error, seconds))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        return _described(await _handshake(host, port, context, seconds), verify_code=code, verify_text=text)
    except (OSError, TimeoutError):
        return Certificate(verify_code=code, verify_text=text)


async def _handshake(host: str, port: int, context: ssl.SSLContext, seconds: float) -> bytes:
    """Return the server's certificate (DER); empty without one."""
    async with asyncio.timeout(seconds):
        _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    try:
        tls = writer.get_extra_info("ssl_object")
        return (tls.getpeercert(binary_form=True) if tls is not None else None) or b""
    finally:
        writer.transport.abort()


def _described(der: bytes, **verification: Any) -> Certificate:
    """Return the certificate's names and times as far as they can be parsed."""
    try:
        if len(der) > MAX_CERTIFICATE_BYTES:
            raise ValueError("too long")
        parsed = x509.load_der_x509_certificate(der)
        return Certificate(
            names=_names(parsed),
            issuer=_common_name(parsed.issuer),
            not_before=parsed.not_valid_before_utc.timestamp(),
            not_after=parsed.not_valid_after_utc.timestamp(),
            **verification,
        )
    except (ValueError, TypeError, OverflowError):
        return Certificate(**verification)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(one_line(str(name.value), 100) for name in names)


def _common_name(name: x509.Name) -> str:
    organization = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return one_line(" ".join(str(each.value) for each in [*organization[:1], *common[:1]]), 60)


def _tls_reason(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"No TLS handshake in {seconds:g} s."
    if isinstance(error, ssl.SSLError) and error.reason:
        return f"The handshake fails: {one_line(error.reason.replace('_', ' ').lower())}."
    return f"The handshake fails: {_reason(error)}."


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) else str(error)
    return one_line(text or type(error).__name__)
