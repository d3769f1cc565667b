"""What a stock signalling server has said over its link, as a state. No clock, no I/O.

The messages are deltas; what is kept is the state that they lead to, which never counts below zero, and which every
`connect` begins anew.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

import msgspec

from pixelfleet.fleet.model import StreamerReport
from pixelfleet.net.addresses import url_host

ENDPOINT: Final = "stock"
"""A stock server has one streamer, or does not say which of several a player gets."""


class LegacyMessageError(ValueError):
    """A message that means nothing here; the text says why."""


class Connect(msgspec.Struct, rename="camel"):
    """How a stock server introduces itself. Some say null for what they have not got yet, and numbers as text."""

    port: int
    address: str | None = None
    https: bool | None = None
    ready: bool | None = None
    player_connected: bool | None = None
    rest_port: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536 or not (self.rest_port is None or 0 <= self.rest_port < 65536):
            raise ValueError("port is out of range")


@dataclass(slots=True)
class LegacyServer:
    """One stock server, from its `connect` on."""

    host: str
    port: int
    secure: bool
    rest_port: int
    ready: bool
    players: int

    @property
    def server_id(self) -> str:
        """Its address, which is all that tells it from others."""
        return f"{url_host(self.host)}:{self.port}"

    def report(self, *, app: str, dialect: str, registration: bool = True) -> StreamerReport:
        """Return its state; without a link to it nobody is sent there."""
        host = url_host(self.host)
        return StreamerReport(
            server_id=self.server_id,
            endpoint_id=ENDPOINT,
            app=app,
            url=f"{'wss' if self.secure else 'ws'}://{host}:{self.port}",
            rest_url=f"http://{host}:{self.rest_port}" if self.rest_port else "",
            dialect=dialect,
            ready=self.ready and registration,
            legacy=True,
            players=self.players,
        )

    def apply(self, message: dict[str, Any]) -> bool:
        """Take one message behind the first; return whether it changed anything. Raises LegacyMessageError."""
        before = (self.ready, self.players)
        match message.get("type"):
            case "streamerConnected":
                self.ready = True
            case "streamerDisconnected":
                self.ready = False
            case "clientConnected":
                self.players += 1
            case "clientDisconnected":
                self.players = max(0, self.players - 1)
            case "ping":
                pass
            case _:
                raise LegacyMessageError("unknown type")
        return before != (self.ready, self.players)


def connected(message: dict[str, Any], peer: str, *, trust_address: bool) -> LegacyServer:
    """Return the server that a `connect` from `peer` introduces; raise LegacyMessageError.

    Such servers often call themselves 127.0.0.1: the address to dial is where the link comes from, unless it is
    trusted and names an address that others can reach.
    """
    try:
        said = msgspec.convert(message, Connect, strict=False)
    except msgspec.ValidationError as error:
        raise LegacyMessageError(str(error)) from None
    host = said.address if trust_address and said.address and _routable(said.address) else peer
    players = int(said.player_connected or False)
    return LegacyServer(host, said.port, said.https or False, said.rest_port or 0, said.ready or False, players)


def _routable(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_link_local or address.is_multicast)
