"""Validation of an RTCConfiguration, the `config` message made of it, and the expiry time of its credentials."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from yarl import URL

from pixelfleet.protocol.messages import PROTOCOL_VERSION, dump
from pixelfleet.protocol.rtc_configuration import mended

_EXPIRY: Final = re.compile(r"([0-9]{10,11})(?::|\Z)")
"""The prefix of coturn's time-limited usernames: a Unix time of at least ten digits."""


class RtcConfigError(ValueError):
    """There is no valid RTCConfiguration. The text names the reason and the field, and quotes no secrets."""


@dataclass(frozen=True, slots=True)
class ReadyConfig:
    """A complete `config` message with an RTCConfiguration, and its expiry time."""

    message: bytes
    expires: float | None = None
    """The Unix time at which the first of the credentials expires, or None if no username has it."""
    faults: tuple[str, ...] = ()
    """What was left out of the RTCConfiguration, and why."""


def ready_config(options: Mapping[str, Any]) -> ReadyConfig:
    """Return the `config` message for an RTCConfiguration; raise RtcConfigError if a browser would reject it."""
    if faults := mended(options).faults:
        raise RtcConfigError("; ".join(faults))
    return _config_of(options, ())


def parse_answer(body: bytes) -> ReadyConfig:
    """Return the `config` message for a response of the TURN API; raise RtcConfigError if it is unusable.

    What a browser would reject is left out if a TURN server remains.
    """
    try:
        options = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise RtcConfigError("the response is not JSON") from None
    if not isinstance(options, dict) or "iceServers" not in options:
        raise RtcConfigError("the response is not an object with iceServers")
    usable, faults, relays = mended(options)
    if faults and not relays:
        raise RtcConfigError("; ".join(faults))
    return _config_of(usable, faults)


def _config_of(options: Mapping[str, Any], faults: tuple[str, ...]) -> ReadyConfig:
    try:
        message = dump({"type": "config", "peerConnectionOptions": options, "protocolVersion": PROTOCOL_VERSION})
    except orjson.JSONEncodeError:
        raise RtcConfigError("nested too deep") from None
    usernames = (server.get("username") for server in options.get("iceServers", ()))
    times = [int(found[1]) for name in usernames if isinstance(name, str) and (found := _EXPIRY.match(name))]
    return ReadyConfig(message, float(min(times)) if times else None, faults)


def config_url(text: str) -> URL:
    """Return the TURN API's URL; raise ValueError when it is invalid."""
    url = URL(text)
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("must be an http:// or https:// address")
    return url
