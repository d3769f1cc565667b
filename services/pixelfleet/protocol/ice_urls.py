"""URLs of STUN and TURN servers (RFC 7064, RFC 7065), as far as every browser accepts them. No I/O.

The rules are those of Chromium 156 and Firefox 153, and stricter in one point: a host is an IP address in its usual
form or a name in ASCII. tests/e2e/test_ice_configuration.py compares them with the browsers.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Literal, cast

Scheme = Literal["stun", "stuns", "turn", "turns"]

_URL: Final = re.compile(
    r"(?P<scheme>(?i:stun|turn)s?):(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+))"
    r"(?::(?P<port>[0-9]{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?"
)
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
"""A last label of a host that makes browsers read the host as an IPv4 address."""

_MAX_LABEL: Final = 63
"""The longest label of a host name (RFC 1035). The time to decode an internationalized one grows with its square."""

_PLAIN_PORT: Final = 3478
_TLS_PORT: Final = 5349

BLOCKED_PORTS: Final = frozenset(
    {
        *(1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109),
        *(110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526),
        *(530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659),
        *(4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
    }
)
"""The ports to which Firefox makes no connections, for STUN and TURN as for web pages."""


class IceUrlError(ValueError):
    """The text is no URL of a STUN or TURN server. The error gives the reason without quoting the text."""


def port_refusal(port: int) -> str | None:
    """Return why a browser refuses servers on a port; None if none does."""
    return f"Firefox blocks the port {port}" if port in BLOCKED_PORTS else None


@dataclass(frozen=True, slots=True)
class IceUrl:
    """One URL of a STUN or TURN server."""

    scheme: Scheme
    host: str
    """A name, or an address without brackets."""
    port: int
    transport: Literal["udp", "tcp"]

    @property
    def relays(self) -> bool:
        """Whether it is a TURN server, which needs credentials."""
        return self.scheme.startswith("turn")

    def refusal(self) -> str | None:
        """Return why a browser refuses the URL although it is valid; None if none does."""
        if self.scheme == "stuns":
            return "Firefox supports no stuns: URLs"
        return port_refusal(self.port)


def parse_ice_url(text: str) -> IceUrl:
    """Return the parts of a URL, with the default port and transport of its scheme; raise IceUrlError."""
    found = _URL.fullmatch(text)
    if found is None:
        raise IceUrlError("must be a stun:, turn: or turns: URL, such as turn:host:3478?transport=udp")
    scheme = cast("Scheme", found["scheme"].lower())
    secure = scheme.endswith("s")
    if found["transport"] and scheme.startswith("stun"):
        raise IceUrlError("a stun: URL has no transport")
    port = int(found["port"] or (_TLS_PORT if secure else _PLAIN_PORT))
    if not 0 < port < 65536:
        raise IceUrlError("the port must be 1 to 65535")
    host = found["v6"] or found["host"]
    try:
        if found["v6"]:
            IPv6Address(host)
        else:
            _check_host(host)
    except ValueError:
        raise IceUrlError("the host is no valid name or address") from None
    transport = found["transport"] or ("tcp" if secure else "udp")
    return IceUrl(scheme, host, port, cast("Literal['udp', 'tcp']", transport))


def _check_host(host: str) -> None:
    """Raise ValueError for a host that a browser refuses."""
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        IPv4Address(host)
    for label in labels:
        if len(label) > _MAX_LABEL:
            raise ValueError("no label of a host name")
        if label.lower().startswith("xn--"):
            name = label[4:].encode().decode("punycode")
            if name.isascii() or not name.isprintable():
                raise ValueError("no internationalized name")
