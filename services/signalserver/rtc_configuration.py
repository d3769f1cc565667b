"""An RTCConfiguration: whether a browser takes it, the message that peers are sent, when its credentials expire."""

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
"""How coturn's time-limited usernames begin: a unix time. Ten digits tell it from a name that begins with a number."""


class RtcConfigError(ValueError):
    """There is no usable RTCConfiguration; the text says why and where, and quotes nothing of it."""


class IceServer(msgspec.Struct):
    """One entry of `iceServers`. A browser refuses the whole configuration for one that breaks these rules."""

    urls: str | list[str]
    username: str = ""
    credential: str = ""

    def __post_init__(self) -> None:
        urls = [self.urls] if isinstance(self.urls, str) else self.urls
        if not urls or not all(map(_ICE_URL.fullmatch, urls)):
            raise ValueError("urls must be addresses with stun:, stuns:, turn: or turns:")
        if any(url.startswith("turn") for url in urls) and not (self.username and self.credential):
            raise ValueError("a TURN server needs a username and a credential")


class RtcConfiguration(msgspec.Struct, rename="camel"):
    """The fields of an RTCConfiguration that are looked at; a peer is sent the others as they came."""

    ice_servers: list[IceServer] = []
    ice_transport_policy: str = "all"

    def __post_init__(self) -> None:
        if self.ice_transport_policy not in ("all", "relay"):
            raise ValueError("iceTransportPolicy must be all or relay")

    def expires(self) -> float | None:
        """Return the unix time at which the first of the credentials expires, None when they do not tell."""
        times = [int(found[1]) for server in self.ice_servers if (found := _EXPIRY.match(server.username))]
        return float(min(times)) if times else None


@dataclass(frozen=True, slots=True)
class ReadyConfig:
    """An RTCConfiguration as peers are sent it."""

    message: bytes
    expires: float | None = None
    """Unix time."""


def ready_config(options: Mapping[str, Any]) -> ReadyConfig:
    """Return the `config` message for an RTCConfiguration; raise RtcConfigError for one that a browser would refuse."""
    try:
        checked = msgspec.convert(options, RtcConfiguration)
        message = dump({"type": "config", "peerConnectionOptions": options, "protocolVersion": PROTOCOL_VERSION})
    except msgspec.ValidationError as error:
        raise RtcConfigError(str(error)) from None
    except orjson.JSONEncodeError:
        raise RtcConfigError("nested too deep") from None
    return ReadyConfig(message, checked.expires())


def parse_answer(body: bytes) -> ReadyConfig:
    """Return what the TURN API's answer makes; raise RtcConfigError when it is no RTCConfiguration."""
    try:
        options = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise RtcConfigError("the answer is not JSON") from None
    if not isinstance(options, dict) or "iceServers" not in options:
        raise RtcConfigError("the answer is not an object with iceServers")
    return ready_config(options)


def config_url(text: str) -> URL:
    """Return the TURN API's address; raise ValueError when it is none."""
    url = URL(text)
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("must be an http:// or https:// address")
    return url
