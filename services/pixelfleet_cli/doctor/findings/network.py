"""Judges the address, the connection and the certificate of a server."""

from dataclasses import dataclass
from typing import Final, Literal

from pixelfleet.net.addresses import url_host
from pixelfleet_cli.doctor.findings import catalogue
from pixelfleet_cli.doctor.findings.model import Finding, Kind, Result

ADDRESS: Final = "address"
CONNECTION: Final = "connection"
CERTIFICATE: Final = "certificate"

SHOWN_ADDRESSES: Final = 4
ENDS_SOON_DAYS: Final = 14
DAY_SECONDS: Final = 86400.0

EXPIRED: Final = 10
NOT_YET_VALID: Final = 9
WRONG_NAME: Final = (62, 64)
"""Codes of OpenSSL's verification (X509_V_ERR_…): of the time, of a host name and of an IP address."""

_BY_CODE: Final[dict[int, Kind]] = {
    EXPIRED: catalogue.CERTIFICATE_EXPIRED,
    NOT_YET_VALID: catalogue.CERTIFICATE_NOT_YET_VALID,
    **dict.fromkeys(WRONG_NAME, catalogue.CERTIFICATE_WRONG_NAME),
}


@dataclass(frozen=True, slots=True)
class Lookup:
    """The outcome of a DNS lookup."""

    host: str
    addresses: tuple[str, ...] = ()
    error: Literal["", "unknown", "failed"] = ""
    """`unknown` is an answer that the name has no address, `failed` no answer."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to connect to one address."""

    address: str
    failure: Literal["", "refused", "unreachable", "timeout"] = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The outcome of a TLS handshake, and the server's own certificate where it could be read."""

    tls_error: str = ""
    """The reason why the handshake failed; empty if it succeeded, or failed by the verification alone."""
    verify_code: int = 0
    """The code of OpenSSL for a failed verification; 0 for a success."""
    verify_text: str = ""
    names: tuple[str, ...] = ()
    issuer: str = ""
    not_before: float = 0.0
    not_after: float = 0.0
    """Unix times; 0 for a certificate that could not be parsed."""


def judge_address(lookup: Lookup) -> Result:
    """Return the result of the lookup of a host."""
    if lookup.error:
        kind = catalogue.NAME_UNKNOWN if lookup.error == "unknown" else catalogue.DNS_FAILED
        return Result(ADDRESS, f"{lookup.host} has no address", (Finding(kind, f"{lookup.host}: {lookup.why}"),))
    more = len(lookup.addresses) - SHOWN_ADDRESSES
    shown = ", ".join(lookup.addresses[:SHOWN_ADDRESSES]) + (f" and {more} more" if more > 0 else "")
    return Result(ADDRESS, shown if lookup.addresses == (lookup.host,) else f"{lookup.host} is {shown}")


def judge_connection(attempts: tuple[Attempt, ...], port: int) -> Result:
    """Return the result of the attempts to connect to each address of a host."""
    failed = [attempt for attempt in attempts if attempt.failure]
    causes = "; ".join(f"{url_host(each.address)}:{port}: {each.why}" for each in failed[:SHOWN_ADDRESSES])
    if len(failed) == len(attempts):
        refused = all(attempt.failure == "refused" for attempt in failed)
        kind = catalogue.CONNECTION_REFUSED if refused else catalogue.NO_CONNECTION
        return Result(CONNECTION, f"port {port} does not answer", (Finding(kind, causes),))
    answering = len(attempts) - len(failed)
    addresses = "" if len(attempts) == 1 else f" on {answering} of {len(attempts)} addresses"
    findings = (Finding(catalogue.ADDRESS_DEAD, causes),) if failed else ()
    return Result(CONNECTION, f"port {port} answers{addresses}", findings)


def judge_plain(host: str, *, is_loopback: bool) -> Result:
    """Return the result of the check of the certificate where the URL has no TLS."""
    if is_loopback:
        return Result(CERTIFICATE, "no TLS, on this machine")
    return Result(CERTIFICATE, "no TLS", (Finding(catalogue.NOT_ENCRYPTED, f"{host} is not this machine"),))


def judge_certificate(certificate: Certificate, host: str, now: float) -> Result:
    """Return the result of a TLS handshake; `now` is the unix time."""
    if certificate.tls_error:
        return Result(CERTIFICATE, "no TLS", (Finding(catalogue.TLS_FAILED, certificate.tls_error),))
    days = int(abs(certificate.not_after - now) // DAY_SECONDS)
    until = f"{days} day{'' if days == 1 else 's'}"
    if certificate.verify_code:
        kind = _BY_CODE.get(certificate.verify_code, catalogue.CERTIFICATE_UNTRUSTED)
        return Result(CERTIFICATE, "browsers refuse it", (Finding(kind, _cause(certificate, kind, host, until, now)),))
    issuer = f", issued by {certificate.issuer}" if certificate.issuer else ""
    if not certificate.not_after:
        return Result(CERTIFICATE, "valid")
    summary = f"valid for {until}{issuer}"
    if days >= ENDS_SOON_DAYS:
        return Result(CERTIFICATE, summary)
    return Result(CERTIFICATE, summary, (Finding(catalogue.CERTIFICATE_ENDS_SOON, f"It ends in {until}."),))


def _cause(certificate: Certificate, kind: Kind, host: str, until: str, now: float) -> str:
    if kind is catalogue.CERTIFICATE_EXPIRED and certificate.not_after:
        return f"It ended {until} ago." if certificate.not_after < now else "A certificate of its chain has ended."
    if kind is catalogue.CERTIFICATE_WRONG_NAME and certificate.names:
        return f"It names {', '.join(certificate.names[:SHOWN_ADDRESSES])}, and not {host}."
    issuer = f" (issued by {certificate.issuer})" if certificate.issuer else ""
    return f"{certificate.verify_text}{issuer}"
