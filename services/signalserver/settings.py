"""What a signalling server can be told."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict
from yarl import URL

from pixelfleet.fleet.settings import FleetSettings
from pixelfleet.net.addresses import address_of
from pixelfleet.net.websocket import Bounds
from pixelfleet.service.errors import UsageError, tell
from signalserver.application.calls import AllowedPaths, rest_endpoint
from signalserver.legacy.translation import translate_arguments, translate_config
from signalserver.rtc_config import config_url, ready_config

UNSHOWN: Final = {"session_key", "redis_url", "rest_token", "streamer_token", "peer_options", "rtc_config_url"}
"""Settings that may hold a secret."""

KUBE_NAME: Final = r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$"
"""A name as Kubernetes gives it, or none."""


class Settings(FleetSettings):
    """Introduces the players of one pod to its streamers."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_SIGNALSERVER_")
    command: ClassVar[str] = "signalserver"

    player_port: int = Field(4000, ge=0, le=65535, description="port for players")
    streamer_port: int = Field(8888, ge=0, le=65535, description="port for streamers")
    sfu_port: int = Field(8889, ge=0, le=65535, description="port for SFUs")
    metrics_port: int = Field(4900, ge=0, le=65535, description="port for Prometheus")
    streamer_host: str = Field("127.0.0.1", description="address on which streamers and SFUs are taken")

    app: str = Field("default", min_length=1, max_length=64, description="the application that is streamed here")
    server_id: str = Field("", max_length=128, description="this server's name in the fleet; made up when empty")
    public_url: str = Field("", description="where matchmakers dial players to; made from host and port when empty")
    capacity: int = Field(1, ge=0, description="sessions a streamer takes from the matchmaker; 0 is no limit")
    labels: dict[str, str] = Field(default={}, description="labels that players can ask for, as a JSON object")
    node: str = Field("", max_length=128, description="the machine that this runs on, for the pack policy")
    pod_name: str = Field(
        "", pattern=KUBE_NAME, description="this pod's name in Kubernetes; with it the pod is marked while it is busy"
    )
    pod_namespace: str = Field("", pattern=KUBE_NAME, description="and its namespace")
    require_session: bool | None = Field(
        None, description="take no player without a session ticket; with Redis that is so unless it is turned off"
    )

    rest_token: SecretStr | None = Field(
        None, min_length=1, description="bearer token for /api and /drain; closed until it is set"
    )
    rest_api: bool = Field(False, description="let anybody read /api; changes need the token all the same")
    streamer_token: SecretStr | None = Field(
        None, min_length=1, description="token that streamers and SFUs must present"
    )
    streamer_takeover: Literal["host", "token", "never"] = Field(
        "host", description="what makes a streamer that asks for a taken id the same one, come back"
    )
    origins: list[str] = Field(default=["*"], description="origins whose pages may connect and call; * is any")
    trusted_proxies: int = Field(0, ge=0, le=16, description="proxies of ours whose X-Forwarded-For is believed")

    serve: bool = Field(False, description="serve a page on the player port")
    http_root: Path = Field(Path("www"), description="folder of that page")
    homepage: str = Field("player.html", description="file that answers /")
    tls_key: Path | None = Field(None, description="private key (PEM); with it players come over TLS")
    tls_cert: Path | None = Field(None, description="certificate chain (PEM)")
    redirect_port: int | None = Field(None, ge=0, le=65535, description="port that sends HTTP to the TLS port")

    drain_seconds: float = Field(30.0, ge=0, description="how long players may finish after SIGTERM or a drain")
    spread_seconds: float = Field(3.0, ge=0, description="how long players are still taken after that")
    start_seconds: float = Field(300.0, gt=0, description="an application that is not here by then counts as stuck")
    stall_seconds: float = Field(30.0, gt=0, description="one that has not answered a player by then does, too")

    matchmaker: str = Field("", description="host:port of a matchmaker that takes reports as cirrus sends them")

    dialect: Literal["auto", "legacy"] = Field("auto", description="legacy: the streamers are Unreal 4.27")
    identify_seconds: float = Field(10.0, gt=0, description="after this time a silent streamer gets an id of ours")
    peer_options: str = Field("{}", description="RTCConfiguration for the peers, as a JSON object")
    peer_options_file: Path | None = Field(None, description="file that holds it; --peer-options wins")
    rtc_config_url: str = Field("", description="TURN API that gives it, when none is fixed here")
    rtc_config_max_age: float = Field(300, ge=10, description="seconds until credentials without expiry are replaced")
    rtc_config_seconds: float = Field(5.0, gt=0, description="how long the TURN API may take to answer")
    rtc_config_session_seconds: float = Field(
        0.5, ge=0, le=5, description="how long a peer waits for credentials of its own; 0: all peers share the same"
    )
    rtc_config_first_seconds: float = Field(2.0, ge=0, description="how long the start waits for its first answer")

    ue_rest_endpoint: str = Field("", description="the application's REST API, for players' control messages")
    control_paths: list[str] = Field(default=[], description="paths players may call, exact or ending in *")
    control_seconds: float = Field(5.0, gt=0, description="a call that takes longer is answered with an error")
    control_answer_bytes: int = Field(65536, ge=1, description="so is one with a larger answer")
    control_calls_per_player: int = Field(4, ge=1, description="calls of one player at once; more are refused")
    control_calls: int = Field(32, ge=1, description="calls of all players at once; more are refused")

    tell_player_count: bool = Field(False, description="tell players how many they are, which pages of 4.27 show")
    max_players: int = Field(0, ge=0, description="players at once; 0 is no limit; more are refused with HTTP 503")
    max_players_per_streamer: int = Field(0, ge=0, description="subscribers a streamer; more get subscribeFailed")
    max_nesting: int = Field(32, ge=4, le=250, description="levels in a message; a deeper one closes with 4204")
    max_streamer_messages_per_second: float = Field(
        0, ge=0, description="a streamer or SFU that is faster is closed with 4104; 0 is no limit"
    )
    max_bad_messages: int = Field(100, ge=1, description="messages not understood before a peer is closed with 4203")

    @field_validator("peer_options")
    @classmethod
    def _peer_options_are_valid(cls, value: str) -> str:
        _parsed_options(value)
        return value

    @field_validator("public_url")
    @classmethod
    def _public_url_is_valid(cls, value: str) -> str:
        if value:
            parts = urlsplit(value)
            if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.query or parts.fragment or "@" in value:
                raise ValueError("must be a ws:// or wss:// address without a query")
            _ = parts.port  # raises for what is none
        return value

    @field_validator("rtc_config_url")
    @classmethod
    def _rtc_config_url_is_valid(cls, value: str) -> str:
        if value:
            config_url(value)
        return value

    @field_validator("matchmaker")
    @classmethod
    def _matchmaker_is_an_address(cls, value: str) -> str:
        if value:
            address_of(value)
        return value

    @field_validator("ue_rest_endpoint")
    @classmethod
    def _endpoint_is_valid(cls, value: str) -> str:
        if value:
            rest_endpoint(value)
        return value

    @field_validator("control_paths")
    @classmethod
    def _paths_are_valid(cls, value: list[str]) -> list[str]:
        AllowedPaths(value)
        return value

    @model_validator(mode="after")
    def _sessions_need_a_key(self) -> "Settings":
        if (self.tls_key is None) is not (self.tls_cert is None):
            raise ValueError("--tls-key and --tls-cert: one is of no use without the other")
        if self.redirect_port is not None and self.tls_cert is None:
            raise ValueError("--redirect-port: needs --tls-cert and --tls-key, there is no TLS to send anybody to")
        if self.streamer_takeover == "token" and self.streamer_token is None:
            raise ValueError("--streamer-takeover token: needs --streamer-token")
        if bool(self.pod_name) is not bool(self.pod_namespace):
            raise ValueError("--pod-name and --pod-namespace: one is of no use without the other")
        if self.requires_session and self.session_key is None:
            asked = "--require-session" if self.require_session else "--redis-url"
            raise ValueError(f"{asked}: needs --session-key, the same as the matchmaker's")
        return self

    @property
    def requires_session(self) -> bool:
        """Whether a player needs a session ticket."""
        return bool(self.store_url) if self.require_session is None else self.require_session

    @classmethod
    def translate_config(cls, keys: dict[str, Any]) -> dict[str, Any]:
        """Return the keys of a config file with those of older servers translated; tell what is gone."""
        translation = translate_config(keys)
        for warning in translation.warnings:
            tell(warning)
        return translation.keys

    @classmethod
    def translate_arguments(cls, arguments: Sequence[str], file_keys: Mapping[str, Any] | None) -> list[str]:
        """Return the options with those of older servers translated; tell what is gone."""
        translation = translate_arguments(arguments, file_keys)
        for warning in translation.warnings:
            tell(warning)
        return translation.arguments

    def peer_connection_options(self) -> dict[str, Any]:
        """Return the fixed RTCConfiguration, which is empty when there is none; raise UsageError for a bad file."""
        options = _parsed_options(self.peer_options)
        if options or self.peer_options_file is None:
            return options
        try:
            return _parsed_options(self.peer_options_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"--peer-options-file {self.peer_options_file}: {reason}") from None

    def streamer_bounds(self) -> Bounds:
        """Return the bounds of a streamer's or an SFU's connection."""
        bounds = self.upstream_bounds()
        rate = self.max_streamer_messages_per_second
        return (
            replace(bounds, messages_per_second=rate, message_burst=max(self.max_message_burst, rate))
            if rate
            else bounds
        )

    def shown(self) -> dict[str, Any]:
        """Return the settings as they may be shown: without secrets and without the peers' credentials."""
        shown = self.model_dump(mode="json", exclude=UNSHOWN)
        if self.ue_rest_endpoint:
            shown["ue_rest_endpoint"] = str(URL(self.ue_rest_endpoint).with_user(None))
        return shown


def _parsed_options(text: str) -> dict[str, Any]:
    try:
        options = json.loads(text or "{}")
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from None
    if not isinstance(options, dict):
        raise ValueError("must be a JSON object")
    ready_config(options)  # raises for what a browser would refuse
    return options
