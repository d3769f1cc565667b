"""The dialects of legacy servers: what each accepts of a player, and which of them a server has. No I/O.

A server shows its dialect to a player, never on its link. A protocol version in its `config` shows 5.5 or later, as
Pixelfleet's signalserver has, a list of streamers 5.2 or later, and a `ping` 5.4. An
offer without a subscription shows 5.0 or 5.1, on which nothing depends: they ignore other types. 4.27 shows
nothing that a silent streamer would not show as well, so it must be named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final

from pixelfleet.net.addresses import parse_address

UNREAL_4: Final = "legacy"
UNREAL_5: Final = "5.0"
"""5.0 to 5.4, until the server has shown its version."""
UNREAL_5_1: Final = "5.1"
"""5.0 and 5.1."""
MODERN: Final = "5.5"
"""5.5 and later: the server drops messages of other types, so every message is forwarded."""

_EVERY: Final = frozenset({"offer", "answer", "iceCandidate", "stats"})
_UNREAL_5_0: Final = _EVERY | {"dataChannelRequest", "peerDataChannelsReady"}
_UNREAL_5_2: Final = _UNREAL_5_0 | {"subscribe", "unsubscribe", "listStreamers"}

ACCEPTED: Final[Mapping[str, frozenset[str]]] = {
    UNREAL_4: _EVERY,
    UNREAL_5: _UNREAL_5_2,
    UNREAL_5_1: _UNREAL_5_0,
    "5.2": _UNREAL_5_2,
    "5.4": _UNREAL_5_2 | {"pong"},
}
"""The types of a player's messages that are forwarded, by the server's dialect. `5.1` is 5.0 and 5.1, `5.2` is 5.2
and 5.3.

5.0 and 5.1 ignore other types; 5.2 to 5.4 close the player. `ping` is missing: the matchmaker answers it itself.
"""

DIALECTS: Final = (*ACCEPTED, MODERN)

_SHOWN_BY: Final[Mapping[str, str]] = {"streamerList": "5.2", "ping": "5.4"}


def accepts(dialect: str, kind: str) -> bool:
    """Return whether a player's message of this type is forwarded to a server of this dialect."""
    return dialect == MODERN or kind in ACCEPTED[dialect]


def shown_by(message: Mapping[str, Any]) -> str | None:
    """Return the dialect that a server shows by a message to its player, or None."""
    if message["type"] == "config" and "protocolVersion" in message:
        return MODERN
    return _SHOWN_BY.get(message["type"])


@dataclass(frozen=True, slots=True)
class DialectRule:
    """An entry of --legacy-dialect: a dialect for one server, for a network, or for all other servers."""

    dialect: str
    network: IPv4Network | IPv6Network | None = None
    port: int = 0
    """The port of one server; 0 for every port."""

    @property
    def precision(self) -> tuple[bool, int]:
        """A rule with a higher value precedes."""
        return bool(self.port), -1 if self.network is None else self.network.prefixlen

    def covers(self, host: str, port: int) -> bool:
        """Return whether the rule applies to a server."""
        if self.network is None:
            return True
        try:
            return ip_address(host) in self.network and self.port in (0, port)
        except ValueError:
            return False


def rule_of(text: str) -> DialectRule:
    """Return the rule of `DIALECT`, `NETWORK=DIALECT` or `ADDRESS:PORT=DIALECT`; raise ValueError."""
    place, _, dialect = text.rpartition("=")
    if dialect not in DIALECTS:
        raise ValueError(f"must be one of {', '.join(DIALECTS)}, after NETWORK= or ADDRESS:PORT= for some servers only")
    if not place:
        return DialectRule(dialect)
    try:
        return DialectRule(dialect, ip_network(place))
    except ValueError:
        try:
            host, port = parse_address(place)
            return DialectRule(dialect, ip_network(host), port)
        except ValueError:
            raise ValueError("must name a network (10.0.0.0/8) or a server (10.0.0.7:80) before the =") from None
