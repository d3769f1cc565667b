"""Types of the signalling server's options that have a check of their own. A failed check raises ValueError."""

import json
import shlex
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from pixelfleet.net.addresses import parse_address
from pixelfleet.service.values import Json, Name, Placeholder, Url, UrlPath
from signalserver.application.paths import AllowedPaths, rest_endpoint
from signalserver.launcher.parameters import NAME as LAUNCH_NAME
from signalserver.rtc_config_message import config_url, ready_config


def parse_peer_options(text: str) -> dict[str, Any]:
    """Return an RTCConfiguration from JSON, empty for an empty text; raise ValueError if a browser would reject it."""
    try:
        options = json.loads(text or "{}")
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from None
    if not isinstance(options, dict):
        raise ValueError("must be a JSON object")
    ready_config(options)
    return options


def _check_peer_options(value: str) -> str:
    parse_peer_options(value)
    return value


def _check_public_url(value: str) -> str:
    if value:
        parts = urlsplit(value)
        if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.query or parts.fragment or "@" in value:
            raise ValueError("must be a ws:// or wss:// address without a query")
        _ = parts.port  # Raises ValueError for an invalid port.
    return value


def _check_rtc_config_url(value: str) -> str:
    if value:
        config_url(value)
    return value


def _check_matchmaker(value: str) -> str:
    if value:
        parse_address(value)
    return value


def _check_rest_endpoint(value: str) -> str:
    if value:
        rest_endpoint(value)
    return value


def _check_command_line(value: str) -> str:
    if value and not shlex.split(value):
        raise ValueError("must name a program")
    return value


def _check_launch_parameter(value: str) -> str:
    if not LAUNCH_NAME.fullmatch(value) or value == "url":
        raise ValueError("must be a lower-case name of at most 32 letters, digits and underscores, and not url")
    return value


def _check_control_paths(value: list[str]) -> list[str]:
    AllowedPaths(value)
    return value


Token = Annotated[SecretStr, Placeholder("TOKEN")]
PeerOptions = Annotated[Json, AfterValidator(_check_peer_options)]
PublicUrl = Annotated[Url, AfterValidator(_check_public_url)]
RtcConfigUrl = Annotated[Url, AfterValidator(_check_rtc_config_url)]
MatchmakerAddress = Annotated[str, AfterValidator(_check_matchmaker), Placeholder("HOST:PORT")]
CommandLine = Annotated[str, AfterValidator(_check_command_line), Placeholder("COMMAND")]
LaunchParameter = Annotated[Name, AfterValidator(_check_launch_parameter)]
RestEndpoint = Annotated[Url, AfterValidator(_check_rest_endpoint)]
ControlPaths = Annotated[list[UrlPath], AfterValidator(_check_control_paths)]
