"""Settings of the signalling server."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from pixelfleet.net.bounds import Bounds
from pixelfleet.service.errors import UsageError, warn
from pixelfleet.service.shown import shown_url
from pixelfleet.service.values import Address, Bytes, Directory, File, FileName, KubeName, Name, Origin, Port, Seconds
from signalserver.legacy.translation import translate_arguments, translate_config
from signalserver.limit_settings import LimitSettings
from signalserver.option_values import (
    CommandLine,
    ControlPaths,
    LaunchParameter,
    MatchmakerAddress,
    PeerOptions,
    PublicUrl,
    RestEndpoint,
    RtcConfigUrl,
    Token,
    parse_peer_options,
)

UNSHOWN: Final = {"session_key", "redis_url", "rest_token", "streamer_token", "peer_options", "rtc_config_url"}
"""Settings that can contain a secret."""


class Settings(LimitSettings):
    """The signalling server connects the players of one pod to its streamers."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_SIGNALSERVER_")
    command: ClassVar[str] = "signalserver"
    sections: ClassVar[Mapping[str, str]] = {
        "player_port": "Addresses and ports",
        "app": "Place in the fleet",
        "require_session": "Access",
        "serve": "Page and TLS",
        "drain_seconds": "Shutdown and health",
        "dialect": "Streamers",
        "peer_options": "ICE servers",
        "fresh_app": "Start of the application",
        "ue_rest_endpoint": "Calls to the application",
        "max_players": "Limits",
        "matchmaker": "Compatibility",
    }
    unused: ClassVar[frozenset[str]] = frozenset({"dial_seconds"})

    player_port: Port = Field(4000, description="Players and clients of the REST API connect to this port.")
    streamer_port: Port = Field(8888, description="Streamers connect to this port.")
    sfu_port: Port = Field(8889, description="SFUs connect to this port.")
    metrics_port: Port = Field(4900, description="Prometheus reads metrics on this port.")
    streamer_host: Address = Field("127.0.0.1", description="Streamers and SFUs connect to this address.")
    public_url: PublicUrl = Field(
        "", description="Matchmakers reach this server at this ws:// URL. Without it host and port make the URL."
    )

    app: Name = Field("default", min_length=1, max_length=64, description="The streamers here run this application.")
    server_id: Name = Field(
        "", max_length=128, description="The server has this id in the fleet. Without it the id is random."
    )
    capacity: int = Field(1, ge=0, description="The matchmaker gives this many sessions to a streamer; 0 is no limit.")
    labels: dict[str, str] = Field(default={}, description="Players can select the streamers here by these labels.")
    node: Name = Field("", max_length=128, description="The server runs on this node; the policy pack uses it.")
    pod_name: KubeName = Field(
        "",
        description="The server runs in this Kubernetes pod, which it marks while sessions are running.",
    )
    pod_namespace: KubeName = Field("", description="The pod is in this namespace.")

    require_session: bool | None = Field(
        None, description="Only players with a session token may connect. This is the default with Redis."
    )
    rest_token: Token | None = Field(
        None, min_length=1, description="Callers of /api and /drain need this token. Without it both are closed."
    )
    rest_api: bool = Field(False, description="Callers may read /api without a token; changes still need the token.")
    streamer_token: Token | None = Field(
        None, min_length=1, description="Streamers and SFUs need this token to connect."
    )
    streamer_takeover: Literal["host", "token", "never"] = Field(
        "host",
        description="A streamer replaces a connected one with the same id that answers no ping, if it has the same "
        "address (host), if it sends the same token (token), or not at all (never).",
    )
    origins: list[Origin] = Field(
        default=["*"], description="Pages of these origins may connect and call; * is any origin."
    )
    trusted_proxies: int = Field(
        0, ge=0, le=16, description="The server trusts this many last entries of X-Forwarded-For."
    )

    serve: bool = Field(False, description="The player port also serves a page.")
    http_root: Directory = Field(Path("www"), description="The page is in this directory.")
    homepage: FileName = Field("player.html", description="A request for / gets this file of the directory.")
    tls_key: File | None = Field(
        None, description="This private key (PEM) belongs to the certificate. With both, the player port uses TLS."
    )
    tls_cert: File | None = Field(None, description="This file holds the certificate chain (PEM).")
    redirect_port: Port | None = Field(None, description="HTTP requests to this port are redirected to the TLS port.")

    drain_seconds: Seconds = Field(
        30.0, ge=0, description="Connected players may stay for this time after SIGTERM or the start of a drain."
    )
    spread_seconds: Seconds = Field(
        3.0, ge=0, description="The server still accepts new players for this time after SIGTERM."
    )
    start_seconds: Seconds = Field(
        300.0, gt=0, description="The application counts as stuck when no streamer has connected after this time."
    )
    stall_seconds: Seconds = Field(
        30.0, gt=0, description="The application counts as stuck when it has not answered a player after this time."
    )

    first_media_seconds: Seconds = Field(
        60.0,
        ge=0,
        description="A player that has a streamer for this time and neither sent nor received an answer is closed "
        "with code 4205, or 4001 if the streamer was silent. 0 is no limit.",
    )

    resume_seconds: Seconds = Field(
        30.0,
        ge=0,
        le=3600,
        description="The session of a page that can return is kept for this time after its connection was lost. "
        "With 0 it ends at once.",
    )
    reload_seconds: Seconds = Field(
        5.0,
        ge=0,
        le=3600,
        description="The session of a page that can return is kept for this time after its browser closed the "
        "connection, as at a reload. With 0 it ends at once.",
    )

    dialect: Literal["auto", "legacy"] = Field(
        "auto", description="With auto the server detects the dialect of streamers; legacy is for Unreal Engine 4.27."
    )
    identify_seconds: Seconds = Field(
        10.0, gt=0, description="A streamer that has sent no id after this time gets a generated one."
    )

    name_streams: bool = Field(
        True,
        description="A track of a streamer that belongs to no stream is added to one in its offer. Pages connect and "
        "stay black otherwise.",
    )

    peer_options: PeerOptions = Field("{}", description="Players and streamers receive this RTCConfiguration.")
    peer_options_file: File | None = Field(
        None, description="This JSON file holds the RTCConfiguration; --peer-options overrides it."
    )
    rtc_config_url: RtcConfigUrl = Field(
        "", description="The TURN API at this URL provides the RTCConfiguration where none is set here."
    )
    rtc_config_max_age: Seconds = Field(
        300, ge=10, description="Credentials without an expiry time are replaced after this time."
    )
    rtc_config_seconds: Seconds = Field(
        5.0, gt=0, description="A request to the TURN API fails when it takes longer than this."
    )
    rtc_config_session_seconds: Seconds = Field(
        0.5,
        ge=0,
        le=5,
        description="A player or streamer waits this time for credentials of its own; with 0 all share the same.",
    )
    rtc_config_first_seconds: Seconds = Field(
        2.0, ge=0, description="The start waits this time for the first answer of the TURN API."
    )

    fresh_app: Literal["off", "restart", "delete-pod"] = Field(
        "off",
        description="After its last session the application serves the next one (off), is restarted, or ends with its "
        "pod, which Kubernetes replaces.",
    )
    app_command: CommandLine = Field(
        "",
        description="The server runs the application with this command line, without a shell, and starts it again when "
        "it ends. {url} stands for the URL for streamers.",
    )
    launch_parameters: list[LaunchParameter] = Field(
        default=[],
        description="A player's URL may set these parameters of its session, as launch.NAME=VALUE. The application is "
        "started with them: {NAME} in the command line, and the variable PIXELFLEET_LAUNCH_NAME.",
    )
    app_process: Name = Field(
        "",
        max_length=255,
        description="The application in another container has this program name. A restart ends its processes.",
    )
    app_stop_seconds: Seconds = Field(
        8.0, ge=0, le=300, description="The application is killed when it has not ended this long after SIGTERM."
    )

    ue_rest_endpoint: RestEndpoint = Field(
        "", description="Control messages of players become calls to the application's REST API at this URL."
    )
    control_paths: ControlPaths = Field(
        default=[], description="Players may call these paths. A * at the end matches every continuation."
    )
    control_seconds: Seconds = Field(
        5.0, gt=0, description="A call that takes longer than this is answered with an error."
    )
    control_answer_bytes: Bytes = Field(
        65536, ge=1, description="A call with a response larger than this is answered with an error."
    )
    control_calls_per_player: int = Field(
        4, ge=1, description="More simultaneous calls of one player than this are refused."
    )
    control_calls: int = Field(32, ge=1, description="More simultaneous calls of all players than this are refused.")

    max_players: int = Field(
        0, ge=0, description="More simultaneous players than this are refused with HTTP 503; 0 is no limit."
    )
    max_players_per_streamer: int = Field(
        0, ge=0, description="More players of one streamer than this are refused with subscribeFailed; 0 is no limit."
    )
    max_nesting: int = Field(
        32,
        ge=4,
        le=250,
        description="A message with more nested levels than this closes its sender's connection with code 4204.",
    )
    max_streamer_messages_per_second: float = Field(
        0,
        ge=0,
        description="A streamer or SFU that sends more messages per second than this is closed with code 4104; "
        "0 is no limit.",
    )
    max_bad_messages: int = Field(
        100, ge=1, description="A client that sends more invalid messages than this is closed with code 4203."
    )

    matchmaker: MatchmakerAddress = Field(
        "", description="The server reports to the matchmaker at this TCP address, with the protocol of cirrus."
    )
    tell_player_count: bool = Field(
        False, description="Players receive the number of connected players, which pages of Unreal Engine 4.27 show."
    )

    @model_validator(mode="after")
    def _options_are_consistent(self) -> "Settings":
        if (self.tls_key is None) is not (self.tls_cert is None):
            raise ValueError("--tls-key and --tls-cert: give both or none")
        if self.redirect_port is not None and self.tls_cert is None:
            raise ValueError("--redirect-port: needs --tls-cert and --tls-key")
        if self.streamer_takeover == "token" and self.streamer_token is None:
            raise ValueError("--streamer-takeover token: needs --streamer-token")
        if bool(self.pod_name) is not bool(self.pod_namespace):
            raise ValueError("--pod-name and --pod-namespace: give both or none")
        if self.launch_parameters and not self.app_command:
            raise ValueError("--launch-parameters: needs --app-command")
        if self.app_command and self.app_process:
            raise ValueError("--app-command and --app-process: give one of them")
        if self.fresh_app == "restart" and not (self.app_command or self.app_process):
            raise ValueError("--fresh-app restart: needs --app-command or --app-process")
        if self.fresh_app == "delete-pod" and not self.pod_name:
            raise ValueError("--fresh-app delete-pod: needs --pod-name and --pod-namespace")
        if self.fresh_app == "delete-pod" and self.app_command:
            raise ValueError("--fresh-app delete-pod: the pod runs the application, not --app-command")
        if self.app_process and self.fresh_app != "restart":
            raise ValueError("--app-process: needs --fresh-app restart")
        if self.requires_session and self.session_key is None:
            option = "--require-session" if self.require_session else "--redis-url"
            raise ValueError(f"{option}: needs --session-key, the same as the matchmaker's")
        return self

    @property
    def requires_session(self) -> bool:
        """Whether a player needs a session token."""
        return bool(self.store_url) if self.require_session is None else self.require_session

    @classmethod
    def translate_config(cls, keys: dict[str, Any]) -> dict[str, Any]:
        """Translate the keys of legacy servers in a config file; print the warnings."""
        translation = translate_config(keys)
        for warning in translation.warnings:
            warn(warning)
        return translation.keys

    @classmethod
    def translate_arguments(cls, arguments: Sequence[str], file_keys: Mapping[str, Any] | None) -> list[str]:
        """Translate the options of legacy servers in arguments; print the warnings."""
        translation = translate_arguments(arguments, file_keys)
        for warning in translation.warnings:
            warn(warning)
        return translation.arguments

    def peer_connection_options(self) -> dict[str, Any]:
        """Return the fixed RTCConfiguration, empty if there is none; raise UsageError for an invalid file."""
        options = parse_peer_options(self.peer_options)
        if options or self.peer_options_file is None:
            return options
        try:
            return parse_peer_options(self.peer_options_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"--peer-options-file {self.peer_options_file}: {reason}") from None

    def streamer_bounds(self) -> Bounds:
        """Return the bounds of connections of streamers and SFUs."""
        bounds = self.upstream_bounds()
        rate = self.max_streamer_messages_per_second
        return (
            replace(bounds, messages_per_second=rate, message_burst=max(self.max_message_burst, rate))
            if rate
            else bounds
        )

    def shown(self) -> dict[str, Any]:
        """Return the settings without secrets and peers' credentials."""
        shown = self.model_dump(mode="json", exclude=UNSHOWN)
        if self.ue_rest_endpoint:
            shown["ue_rest_endpoint"] = shown_url(self.ue_rest_endpoint)
        return shown
