"""Validation of an RTCConfiguration, the `config` message made of it, and the expiry time of its credentials."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import orjson
from yarl import URL

from pixelfleet.protocol.messages import PROTOCOL_VERSION, dump

_HOST: Final = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_ICE_URL: Final = re.compile(rf"stuns?:{_HOST}|turns?:{_HOST}(?:\?transport=(?:udp|tcp))?")
_EXPIRY: Final = re.compile(r"([0-9]{10,11})(?::|\Z)")
"""The prefix of coturn's time-limited usernames: a Unix time of at least ten digits."""


class RtcConfigError(ValueError):
    """There is no valid RTCConfiguration. The text names the reason and the field, and quotes no values."""


class IceServer(msgspec.Struct):
    """One entry of `iceServers`. A browser rejects the whole configuration for one invalid entry."""

    urls: str | list[str]
    username: str = ""
    credential: str = ""

    def __post_init__(self) -> None:
        urls = [self.urls] if isinstance(self.urls, str) else self.urls
        if not urls or not all(map(_ICE_URL.fullmatch, urls)):
            raise ValueError("urls must be stun:, stuns:, turn: or turns: URLs")
        if any(url.startswith("turn") for url in urls) and not (self.username and self.credential):
            raise ValueError("a TURN server needs a username and a credential")


class RtcConfiguration(msgspec.Struct, rename="camel"):
    """The fields of an RTCConfiguration that are validated; peers get the others unchanged."""

    ice_servers: list[IceServer] = []
    ice_transport_policy: str = "all"

    def __post_init__(self) -> None:
        if self.ice_transport_policy not in ("all", "relay"):
            raise ValueError("iceTransportPolicy must be all or relay")

    def expires(self) -> float | None:
        """Return the Unix time at which the first of the credentials expires, or None if no username has it."""
        times = [int(found[1]) for server in self.ice_servers if (found := _EXPIRY.match(server.username))]
        return float(min(times)) if times else None


@dataclass(frozen=True, slots=True)
class ReadyConfig:
    """A complete `config` message with an RTCConfiguration, and its expiry time."""

    message: bytes
    expires: float | None = None
    """Unix time."""


def ready_config(options: Mapping[str, Any]) -> ReadyConfig:
    """Return the `config` message for an RTCConfiguration; raise RtcConfigError if a browser would reject it."""
    try:
        checked = msgspec.convert(options, RtcConfiguration)
        message = dump({"type": "config", "peerConnectionOptions": options, "protocolVersion": PROTOCOL_VERSION})
    except msgspec.ValidationError as error:
        raise RtcConfigError(str(error)) from None
    except orjson.JSONEncodeError:
        raise RtcConfigError("nested too deep") from None
    return ReadyConfig(message, checked.expires())


def parse_answer(body: bytes) -> ReadyConfig:
    """Return the `config` message for a response of the TURN API; raise RtcConfigError if it is invalid."""
    try:
        options = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise RtcConfigError("the response is not JSON") from None
    if not isinstance(options, dict) or "iceServers" not in options:
        raise RtcConfigError("the response is not an object with iceServers")
    return ready_config(options)


def config_url(text: str) -> URL:
    """Return the TURN API's URL; raise ValueError when it is invalid."""
    url = URL(text)
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("must be an http:// or https:// address")
    return url
