"""The state of one legacy server, built from its messages. No clock, no I/O.

The messages are deltas. The number of players never falls below 0, and each `connect` replaces the whole state.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

import msgspec

from pixelfleet.fleet.model import StreamerReport
from pixelfleet.net.addresses import url_host

ENDPOINT: Final = "stock"
"""The endpoint id of all legacy servers: they do not report the ids of their streamers."""


class LegacyMessageError(ValueError):
    """A message is invalid; the text gives the reason."""


class Connect(msgspec.Struct, rename="camel"):
    """The first message of a legacy server. Some versions send null for missing values, and numbers as strings."""

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
    """One legacy server, since its last `connect`."""

    host: str
    port: int
    secure: bool
    rest_port: int
    ready: bool
    players: int

    @property
    def server_id(self) -> str:
        """The address `host:port`: legacy servers have no other id."""
        return f"{url_host(self.host)}:{self.port}"

    def report(self, *, app: str, dialect: str, connected: bool = True) -> StreamerReport:
        """Return its state as a report; a server that is not connected is not ready."""
        host = url_host(self.host)
        return StreamerReport(
            server_id=self.server_id,
            endpoint_id=ENDPOINT,
            app=app,
            url=f"{'wss' if self.secure else 'ws'}://{host}:{self.port}",
            rest_url=f"http://{host}:{self.rest_port}" if self.rest_port else "",
            dialect=dialect,
            ready=self.ready and connected,
            legacy=True,
            players=self.players,
        )

    def apply(self, message: dict[str, Any]) -> bool:
        """Apply a message after `connect`; return whether the state changed. Raises LegacyMessageError."""
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


def server_from_connect(message: dict[str, Any], peer: str, *, trust_address: bool) -> LegacyServer:
    """Return the server that sent a `connect` message; `peer` is the address of its connection.

    Legacy servers often report 127.0.0.1, so players are dialled at `peer`. With `trust_address` the reported address
    is used when it is routable. Raises LegacyMessageError.
    """
    try:
        connect = msgspec.convert(message, Connect, strict=False)
    except msgspec.ValidationError as error:
        raise LegacyMessageError(str(error)) from None
    host = connect.address if trust_address and connect.address and _routable(connect.address) else peer
    players = int(connect.player_connected or False)
    return LegacyServer(
        host, connect.port, connect.https or False, connect.rest_port or 0, connect.ready or False, players
    )


def _routable(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_link_local or address.is_multicast)
