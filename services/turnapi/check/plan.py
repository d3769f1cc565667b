"""What there is to try in an RTCConfiguration, and what the results mean, without I/O."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from pixelfleet.net.addresses import url_host

AuthMethod = Literal["STUN", "UDP", "TCP", "TLS"]

MAX_PROBES: Final = 1000

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
    """It is no RTCConfiguration; the text says why, and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One way to one server."""

    way: AuthMethod
    host: str
    port: int
    username: str = ""
    credential: str = ""

    @property
    def server(self) -> str:
        """The server as it is written."""
        return f"{url_host(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a probe."""

    probe: Probe
    seconds: float
    failure: str = ""
    """Why it does not work; empty when it does."""


def probes_of(body: bytes) -> list[Probe]:
    """Return what there is to try, each once; raise ConfigurationError when the text is no RTCConfiguration."""
    try:
        servers = msgspec.json.decode(body, type=_RtcConfiguration).ice_servers
    except msgspec.DecodeError as error:  # a ValidationError is one
        raise ConfigurationError(str(error)) from None
    probes: dict[Probe, None] = {}
    for server in servers:
        for url in [server.urls] if isinstance(server.urls, str) else server.urls:
            probes[_probe(url, server)] = None
    if not probes:
        raise ConfigurationError("it names no server")
    if len(probes) > MAX_PROBES:
        raise ConfigurationError(f"it names more than {MAX_PROBES} ways to servers")
    return list(probes)


def _probe(url: str, server: _IceServer) -> Probe:
    found = _ICE_URL.fullmatch(url)
    if found is None:
        raise ConfigurationError("one of the urls is not stun:, turn: or turns: with a host")
    secure = found["scheme"] == "turns"
    host, port = found["v6"] or found["host"], int(found["port"] or (5349 if secure else 3478))
    if not 0 < port < 65536:
        raise ConfigurationError("one of the urls has no usable port")
    if found["scheme"] == "stun":
        return Probe("STUN", host, port)
    way: AuthMethod = "TLS" if secure else "TCP" if found["transport"] == "tcp" else "UDP"
    return Probe(way, host, port, server.username, server.credential)


def works(results: Sequence[Result]) -> bool:
    """Tell whether players get anywhere: a TURN server relays or, where none is named, a STUN server answers."""
    relays = [result for result in results if result.probe.way != "STUN"]
    return any(not result.failure for result in relays or results)
