"""Builds an RTCConfiguration from TURN servers. No I/O."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final, Literal

import msgspec

from pixelfleet.protocol.ice_urls import parse_ice_url, port_refusal
from turnapi.credentials import Credentials

Transport = Literal["stun", "udp", "tcp", "tls"]
Policy = Literal["all", "relay"]
AddressKind = Literal["external", "internal"]
"""The kind of node address that players reach."""

MAX_SERVERS: Final = 1000
"""The maximum number of servers in a list."""

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})")
_PORT: Final = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Server:
    """One TURN server, by addresses of either family or by names."""

    hosts: tuple[str, ...]
    port: int | None = None
    """The port for STUN, UDP and TCP; None is the default port."""


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """The operator's choices for the answer."""

    transports: Sequence[Transport] = ("stun", "udp", "tcp")
    port: int = 3478
    tls_port: int = 5349
    policy: Policy = "all"
    max_servers: int = 0
    """The maximum number of servers in one answer; 0 is all."""


def parse_server(text: str) -> Server:
    """Return the server from `host`, `host:port` or `[address]:port`; raise ValueError for anything else."""
    host, port = text, ""
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise ValueError("must be host, host:port or [address]:port")
        port = port[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if text.endswith(":") and not _is_ipv6(host):
        raise ValueError("there is no port after the colon")
    if port and not (_PORT.fullmatch(port) and 0 < int(port) < 65536):
        raise ValueError("the port must be 1 to 65535")
    return Server((host_of(host),), usable_port(int(port)) if port else None)


def usable_port(port: int) -> int:
    """Return a port of a TURN server; raise ValueError if a browser refuses it."""
    if (refusal := port_refusal(port)) is not None:
        raise ValueError(refusal)
    return port


def parse_servers(entries: object) -> tuple[Server, ...]:
    """Return the distinct servers of a list of strings; raise ValueError, with the number of an invalid entry."""
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise ValueError("must be a list with at least one server")
    if len(entries) > MAX_SERVERS:
        raise ValueError(f"has more than {MAX_SERVERS} servers")
    servers: dict[Server, None] = {}
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, str):
            raise ValueError(f"entry {number}: must be a string")
        try:
            servers[parse_server(entry)] = None
        except ValueError as error:
            raise ValueError(f"entry {number}: {error}") from None
    return tuple(servers)


def host_of(text: str) -> str:
    """Return a host name, or an address in its shortest form; raise ValueError when it is neither."""
    if ":" in text or text.replace(".", "").isdecimal():
        try:
            address = ip_address(text)
        except ValueError:
            raise ValueError("is not an IP address") from None
        if getattr(address, "scope_id", None):
            raise ValueError("an address with a zone is not valid on other machines")
        return str(address)
    if not _NAME.fullmatch(text):
        raise ValueError("is neither a host name nor an IP address")
    parse_ice_url(f"turn:{text}")
    return text


class IceServer(msgspec.Struct, frozen=True, kw_only=True):
    """One TURN server with credentials."""

    urls: list[str]
    username: str
    credential: str


class RtcConfiguration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An RTCConfiguration of the WebRTC API."""

    ice_transport_policy: Policy
    ice_servers: list[IceServer]


def configuration(
    servers: Sequence[Server], credentials: Credentials, options: AnswerOptions, name: str = ""
) -> RtcConfiguration:
    """Return the RTCConfiguration for a name: one entry for each server, with all its URLs."""
    return RtcConfiguration(
        ice_transport_policy=options.policy,
        ice_servers=[
            IceServer(
                urls=[url for host in server.hosts for url in _urls(host, server, options)],
                username=credentials.username,
                credential=credentials.credential,
            )
            for server in chosen(servers, options.max_servers, name)
        ],
    )


def chosen(servers: Sequence[Server], limit: int, name: str) -> list[Server]:
    """Return at most `limit` servers, or all if it is 0, chosen by rendezvous hashing of the name.

    Names are spread over all servers. A server that is added or removed affects only the names assigned to it, and a
    name keeps its servers across requests.
    """
    if not limit or len(servers) <= limit:
        return list(servers)
    return sorted(servers, key=lambda server: _rank(server, name))[:limit]


def _rank(server: Server, name: str) -> bytes:
    return hashlib.sha256(f"{name} {server.hosts} {server.port}".encode()).digest()


def _urls(host: str, server: Server, options: AnswerOptions) -> list[str]:
    url_host = f"[{host}]" if _is_ipv6(host) else host
    port = server.port or options.port
    forms = {
        "stun": f"stun:{url_host}:{port}",
        "udp": f"turn:{url_host}:{port}?transport=udp",
        "tcp": f"turn:{url_host}:{port}?transport=tcp",
        "tls": f"turns:{url_host}:{options.tls_port}?transport=tcp",
    }
    return [forms[transport] for transport in options.transports]


def _is_ipv6(host: str) -> bool:
    try:
        return isinstance(ip_address(host), IPv6Address)
    except ValueError:
        return False
