"""The probes for an RTCConfiguration, and the evaluation of their results. No I/O."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from pixelfleet.net.addresses import url_host

Transport = Literal["STUN", "UDP", "TCP", "TLS"]

MAX_PROBES: Final = 1000

UNAUTHORIZED: Final = "refused (401): expired or wrong credentials; compare the secret with coturn's, and the clocks"

REASONS: Final = {
    401: UNAUTHORIZED,
    403: "refused (403): forbidden",
    486: "refused (486): the quota of allocations is used up",
    508: "refused (508): no relay port is free",
}
"""Failures by the error code of a TURN server."""

_ICE_URL: Final = re.compile(
    r"(?P<scheme>stun|turns?):(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+))"
    r"(?::(?P<port>[0-9]{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?"
)


class _IceServer(msgspec.Struct):
    urls: str | list[str]
    username: str = ""
    credential: str = ""


class _RtcConfiguration(msgspec.Struct, rename="camel"):
    ice_servers: list[_IceServer]


class ConfigurationError(ValueError):
    """The text is not an RTCConfiguration; the error gives the reason without quoting the text."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A check of one server over one transport."""

    transport: Transport
    host: str
    port: int
    username: str = ""
    credential: str = ""

    @property
    def server(self) -> str:
        """The server as `host:port`."""
        return f"{url_host(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a probe."""

    probe: Probe
    seconds: float
    failure: str = ""
    """The reason of a failure; empty for a success."""


def probes_of(body: bytes) -> list[Probe]:
    """Return the distinct probes; raise ConfigurationError when the body is not an RTCConfiguration."""
    try:
        servers = msgspec.json.decode(body, type=_RtcConfiguration).ice_servers
    except msgspec.DecodeError as error:  # includes ValidationError
        raise ConfigurationError(str(error)) from None
    probes: dict[Probe, None] = {}
    for server in servers:
        for url in [server.urls] if isinstance(server.urls, str) else server.urls:
            probes[_probe(url, server)] = None
    if not probes:
        raise ConfigurationError("it has no server")
    if len(probes) > MAX_PROBES:
        raise ConfigurationError(f"it has more than {MAX_PROBES} URLs of servers")
    return list(probes)


def _probe(url: str, server: _IceServer) -> Probe:
    found = _ICE_URL.fullmatch(url)
    if found is None:
        raise ConfigurationError("a URL is not stun:, turn: or turns: with a host")
    secure = found["scheme"] == "turns"
    host, port = found["v6"] or found["host"], int(found["port"] or (5349 if secure else 3478))
    if not 0 < port < 65536:
        raise ConfigurationError("a URL has no usable port")
    if found["scheme"] == "stun":
        return Probe("STUN", host, port)
    transport: Transport = "TLS" if secure else "TCP" if found["transport"] == "tcp" else "UDP"
    return Probe(transport, host, port, server.username, server.credential)


def works(results: Sequence[Result]) -> bool:
    """Return whether a TURN server relays or, when there is none, a STUN server answers."""
    relays = [result for result in results if result.probe.transport != "STUN"]
    return any(not result.failure for result in relays or results)
