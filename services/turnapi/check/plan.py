"""The probes for an RTCConfiguration, and the evaluation of their results. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from pixelfleet.net.addresses import url_host
from pixelfleet.protocol.ice_urls import IceUrlError, parse_ice_url

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
    except (msgspec.DecodeError, RecursionError) as error:  # includes ValidationError
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


def _probe(text: str, server: _IceServer) -> Probe:
    try:
        url = parse_ice_url(text)
    except IceUrlError as error:
        raise ConfigurationError(f"a URL is invalid: {error}") from None
    if (refusal := url.refusal()) is not None:
        raise ConfigurationError(f"browsers refuse the configuration: {refusal}")
    if not url.relays:
        return Probe("STUN", url.host, url.port)
    transport: Transport = "TLS" if url.scheme == "turns" else "TCP" if url.transport == "tcp" else "UDP"
    return Probe(transport, url.host, url.port, server.username, server.credential)


def works(results: Sequence[Result]) -> bool:
    """Return whether a TURN server relays or, when there is none, a STUN server answers."""
    relays = [result for result in results if result.probe.transport != "STUN"]
    return any(not result.failure for result in relays or results)
