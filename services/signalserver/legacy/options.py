"""The options of the legacy servers that this server replaces, and their equivalents here.

`OPTIONS` is the table; docs/how-to/migration.md lists it, and `translation.py` applies it. With it, command lines and
config files for cirrus (Unreal 4.27 to 5.4), Wilbur (5.5 and later) and the sidecar of the OKE sample start this
server. An option that is spelled like one of this server is that one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

Value = str | bool | list[str]
"""The value of a setting: a text as it was written, a switch, or a list of texts."""

TRUE: Final = frozenset({"true", "1", "yes", "on"})
FALSE: Final = frozenset({"false", "0", "no", "off", ""})
NO_VALUE: Final = "-"
REFUSED: Final = "refused"
"""Replaces a secret without an equivalent here. The settings refuse the unknown option, which prevents the start."""

DEFAULT_PLAYER_PORT: Final = "4000"
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class Server(Enum):
    """The server that an option belongs to."""

    CIRRUS = "cirrus"
    WILBUR = "Wilbur"
    OKE = "the OKE sample"


def _unchanged(text: str) -> str | None:
    return text


def _seconds(milliseconds: str) -> str | None:
    """Return seconds, or None for 0. Text that is not a number is unchanged, so that the settings refuse it."""
    try:
        seconds = float(milliseconds) / 1000
    except ValueError:
        return milliseconds
    return str(seconds) if seconds else None


def _player_limit(text: str) -> str | None:
    """Return the limit: 0 for cirrus's -1 (no limit), None for cirrus's 0 (no players)."""
    return {"-1": "0", "0": None}.get(text, text)


def _below_the_root(text: str) -> str | None:
    """Return a file's path relative to the page's directory: cirrus's paths start with a slash."""
    return text.lstrip("/") or None


@dataclass(frozen=True, slots=True)
class LegacyOption:
    """One option of the command line, which is also a key of the config file."""

    name: str
    server: Server
    becomes: tuple[str, ...] = ()
    """The settings that the option contributes to; empty when it has no equivalent."""
    note: str = ""
    """The warning for an option without an equivalent; with `becomes`, the warning for a value without one."""
    flag: bool = False
    """Whether it is a switch, which can have no value."""
    convert: Callable[[str], str | None] | None = _unchanged
    """Converts the value, to None when it has no equivalent. None when several options make one setting."""
    caution: str = ""
    """A warning for an option with an equivalent that differs."""
    unless: str = ""
    """There is no `caution` when this option of this server is set."""
    default: str = ""
    """The default in config files; with this value there is no warning."""
    moot: str = ""
    """A value that requires nothing of this server; with it there is no warning."""
    quiet: bool = False
    """There is no equivalent and no warning."""
    guards: bool = False
    """An access control without an equivalent: the server does not start until the option is removed."""
    aliases: tuple[str, ...] = ()

    @property
    def spelled_like_ours(self) -> bool:
        """Whether the option has the same name as the setting it becomes."""
        return bool(self.becomes) and self.name == kebab(self.becomes[0])


def kebab(field: str) -> str:
    """Return a setting's name as an option, without the leading hyphens."""
    return field.replace("_", "-")


UNREAL_4: Final = "the OKE sample uses Unreal 4.27, which needs --dialect legacy; for other versions set --dialect auto"
_ZERO_PLAYERS: Final = "0 admitted no players in cirrus, but is no limit here; the option is ignored"
_NO_INTERVALS: Final = "the intervals of dials and pings to the matchmaker cannot be set"
_NO_PAGE: Final = "no page is served by default; to serve one, set --serve, and its directory with --http-root"
_ONE_DIRECTORY: Final = "only the directory of --http-root is served"
_NO_LOGIN: Final = "there is no login page; use a proxy with authentication in front of the player port"
_NO_FRONTEND: Final = "Epic's frontend service is not supported; the router serves the player page"
_NO_LOG_FILE: Final = "there are no log files; the log goes to stderr in the format of --log-format"
_NO_MESSAGES: Final = "messages are not logged; signalserver_messages_received_total counts them by type"
_NO_SAVING: Final = "the config file is never written"
_ZERO_KEEPALIVE: Final = "0 never closed dead connections; --ping-interval keeps its value"
_ALSO_PLAYERS: Final = "it becomes --origins, which also applies to players' pages: add their origins"
_NO_CORS_DETAIL: Final = "the allowed methods and headers are fixed; --origins sets the allowed pages"
_NO_TURN: Final = "TURN credentials are not created here; --rtc-config-url sets the service that creates them"
_NO_PLAYER_TOKEN: Final = "players have no shared token; --require-session admits only players from a matchmaker"  # noqa: S105 - prose
_ALLOWED_PATHS: Final = "players may call only the paths in --control-paths; /* allows all"

_C, _W, _O = Server.CIRRUS, Server.WILBUR, Server.OKE
_PROXY: Final = ("reverse_proxy", "reverseProxy")
_PROXIES: Final = ("reverse_proxy_num_proxies", "reverseProxyNumProxies")
_TLS: Final = ("player_port", "tls_cert", "tls_key", "redirect_port")

OPTIONS: Final[tuple[LegacyOption, ...]] = (
    LegacyOption("configFile", _C, ("config",)),
    LegacyOption("HttpPort", _C, ("player_port", "redirect_port"), convert=None),
    LegacyOption("HttpsPort", _C, ("player_port",), convert=None),
    LegacyOption("UseHTTPS", _C, _TLS, flag=True, convert=None),
    LegacyOption("HTTPSCertFile", _C, ("tls_cert",), convert=None),
    LegacyOption("HTTPSKeyFile", _C, ("tls_key",), convert=None),
    LegacyOption("StreamerPort", _C, ("streamer_port",)),
    LegacyOption("SFUPort", _C, ("sfu_port",)),
    LegacyOption("MaxPlayerCount", _C, ("max_players",), _ZERO_PLAYERS, convert=_player_limit),
    LegacyOption("UseMatchmaker", _C, ("matchmaker",), flag=True, convert=None),
    LegacyOption("MatchmakerAddress", _C, ("matchmaker",), convert=None),
    LegacyOption("MatchmakerPort", _C, ("matchmaker",), convert=None),
    LegacyOption("MatchmakerRetryInterval", _C, note=_NO_INTERVALS, default="5"),
    LegacyOption("PublicIp", _C, ("public_url",), convert=None),
    LegacyOption("peerConnectionOptions", _C, ("peer_options",)),
    LegacyOption("HomepageFile", _C, ("homepage",), convert=_below_the_root),
    LegacyOption("EnableWebserver", _C, note=_NO_PAGE, flag=True, default="true", moot="false"),
    LegacyOption("AdditionalRoutes", _C, note=_ONE_DIRECTORY, moot="{}"),
    LegacyOption("UseAuthentication", _C, note=_NO_LOGIN, flag=True, moot="false"),
    LegacyOption("UseFrontend", _C, note=_NO_FRONTEND, flag=True, moot="false"),
    LegacyOption("FrontendUrl", _C, note=_NO_FRONTEND, default="https://localhost"),
    LegacyOption("DisableSSLCert", _C, note="it concerns only Epic's frontend service", flag=True, quiet=True),
    LegacyOption("LogToFile", _C, note=_NO_LOG_FILE, flag=True, default="true", moot="false"),
    LegacyOption("LogVerbose", _C, note=_NO_MESSAGES, flag=True, default="true", moot="false"),
    LegacyOption("PixelStreamingSessionMonitorPort", _C, note="a session monitor is not supported", moot="0"),
    LegacyOption("config_file", _W, ("config",), convert=None),
    LegacyOption("no_config", _W, note="only the file of --config is read", flag=True, quiet=True),
    LegacyOption("save", _W, note=_NO_SAVING, flag=True, moot="false"),
    LegacyOption("no_save", _W, note=_NO_SAVING, flag=True, quiet=True),
    LegacyOption("player_port", _W, ("player_port", "redirect_port"), convert=None),
    LegacyOption("streamer_port", _W, ("streamer_port",)),
    LegacyOption("sfu_port", _W, ("sfu_port",)),
    LegacyOption("max_players", _W, ("max_players_per_streamer",)),
    LegacyOption("player_keepalive_timeout", _W, ("ping_interval",), _ZERO_KEEPALIVE, convert=_seconds),
    LegacyOption("serve", _W, ("serve",), flag=True),
    LegacyOption("http_root", _W, ("http_root",)),
    LegacyOption("homepage", _W, ("homepage",)),
    LegacyOption("https", _W, _TLS, flag=True, convert=None),
    LegacyOption("https_port", _W, _TLS, convert=None),
    LegacyOption("ssl_cert_path", _W, ("tls_cert",), convert=None),
    LegacyOption("ssl_key_path", _W, ("tls_key",), convert=None),
    LegacyOption("https_redirect", _W, ("redirect_port",), flag=True, convert=None),
    LegacyOption("rest_api", _W, ("rest_api",), flag=True),
    LegacyOption("cors", _W, ("origins",), flag=True, convert=None),
    LegacyOption("cors_allowed_origins", _W, ("origins",), convert=None, caution=_ALSO_PLAYERS),
    LegacyOption("cors_allowed_methods", _W, note=_NO_CORS_DETAIL),
    LegacyOption("cors_allowed_headers", _W, note=_NO_CORS_DETAIL),
    LegacyOption("cors_credentials", _W, note=_NO_CORS_DETAIL, flag=True, moot="false"),
    LegacyOption("peer_options", _W, ("peer_options",)),
    LegacyOption("peer_options_file", _W, ("peer_options_file",)),
    LegacyOption("turn_secret", _W, note=_NO_TURN),
    LegacyOption("turn_secret_file", _W, note=_NO_TURN),
    LegacyOption("turn_ttl", _W, note=_NO_TURN, default="86400"),
    LegacyOption("player_token", _W, note=_NO_PLAYER_TOKEN, guards=True),
    LegacyOption("player_token_file", _W, note=_NO_PLAYER_TOKEN, guards=True),
    LegacyOption("streamer_token", _W, ("streamer_token",)),
    LegacyOption("streamer_token_file", _W, ("streamer_token_file",)),
    LegacyOption("reverse-proxy", _W, ("trusted_proxies",), flag=True, convert=None, aliases=_PROXY),
    LegacyOption("reverse-proxy-num-proxies", _W, ("trusted_proxies",), convert=None, aliases=_PROXIES),
    LegacyOption("log_level_console", _W, ("log_level",)),
    LegacyOption("log_level_file", _W, note=_NO_LOG_FILE, default="info"),
    LegacyOption("log_folder", _W, note=_NO_LOG_FILE, default="logs"),
    LegacyOption("console_messages", _W, note=_NO_MESSAGES),
    LegacyOption("log_config", _W, note="GET /api/config shows the settings", flag=True, moot="false"),
    LegacyOption("stdin", _W, note="no keys are read; /api lists streamers and players", flag=True, moot="false"),
    LegacyOption("public_ip", _W, ("public_url",), convert=None),
    LegacyOption("matchmaker", _W, ("matchmaker",), flag=True, convert=None),
    LegacyOption("matchmaker_address", _W, ("matchmaker",), convert=None),
    LegacyOption("matchmaker_port", _W, ("matchmaker",), convert=None),
    LegacyOption("matchmaker_retry", _W, note=_NO_INTERVALS, default="5"),
    LegacyOption("matchmaker_keepalive", _W, note=_NO_INTERVALS, default="30"),
    LegacyOption("metricsPort", _O, ("metrics_port",)),
    LegacyOption("certificateDir", _O, ("tls_cert", "tls_key"), convert=None),
    LegacyOption("rtcConfigSvc", _O, ("rtc_config_url",)),
    LegacyOption("ueRestEndpoint", _O, ("ue_rest_endpoint",), caution=_ALLOWED_PATHS, unless="control-paths"),
)

BY_NAME: Final = {name: option for option in OPTIONS for name in (option.name, *option.aliases)}
# The sample's manifests write cirrus's names with a lower-case first letter; other spellings are common too.
_BY_FOLDED_NAME: Final = {option.name.casefold(): option for option in OPTIONS if option.server is not _W}


def find(name: str) -> LegacyOption | None:
    """Return the legacy option with this name (without leading hyphens), or None."""
    return BY_NAME.get(name) or _BY_FOLDED_NAME.get(name.casefold())
