"""The options of the servers that this one stands in for, and what became of each of them.

`OPTIONS` is the table, and docs/how-to/migration.md lists it. `legacy_translation.py` puts it to use, so that a
manifest or a cirrus.json that was written for cirrus (Unreal 4.27 to 5.4), for Wilbur (5.5 and later) or for the
sidecar of the OKE sample starts this server. An option that is spelled as ours is ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

Value = str | bool | list[str]
"""What a setting of ours is set to: text as it was written, a switch, or several texts."""

TRUE: Final = frozenset({"true", "1", "yes", "on"})
FALSE: Final = frozenset({"false", "0", "no", "off", ""})
NO_VALUE: Final = "-"
REFUSED: Final = "refused"
"""Stands in for a secret that ours has no use for. The settings do not know the option and stop."""

DEFAULT_PLAYER_PORT: Final = "4000"
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class Server(Enum):
    """Whose option it is."""

    CIRRUS = "cirrus"
    WILBUR = "Wilbur"
    OKE = "the OKE sample"


def _as_it_is(text: str) -> str | None:
    return text


def _seconds(milliseconds: str) -> str | None:
    """Return seconds; None for 0; what is no number stays, for the settings to refuse."""
    try:
        seconds = float(milliseconds) / 1000
    except ValueError:
        return milliseconds
    return str(seconds) if seconds else None


def _player_limit(text: str) -> str | None:
    """Return the limit with 0 for none, where cirrus has -1; None for cirrus's 0, which lets nobody in."""
    return {"-1": "0", "0": None}.get(text, text)


def _below_the_root(text: str) -> str | None:
    """Return a file's path below the page's folder: cirrus begins such paths with a slash."""
    return text.lstrip("/") or None


@dataclass(frozen=True, slots=True)
class LegacyOption:
    """One option, as it is written after `--` and as a key of a config file."""

    name: str
    server: Server
    becomes: tuple[str, ...] = ()
    """The settings of ours that it has a part in; none when it is gone."""
    note: str = ""
    """Why it is gone and what to do instead; with `becomes`, why a value cannot be had. It is the warning."""
    flag: bool = False
    """Whether it is true or false, and can stand without a value."""
    convert: Callable[[str], str | None] | None = _as_it_is
    """Makes our value, or None when ours has no such value; is None where several options make a setting together."""
    caution: str = ""
    """A warning although the option is there: what is different about it."""
    unless: str = ""
    """The option of ours that shows that the user knows the caution."""
    default: str = ""
    """What a config file holds when nobody chose: it is no wish, and nothing is said of it."""
    moot: str = ""
    """The value that asks for nothing that is missing here."""
    quiet: bool = False
    """Gone, and missed by nobody: there is no warning."""
    guards: bool = False
    """Gone, but it kept strangers out: the server does not start until it is taken away."""
    aliases: tuple[str, ...] = ()

    @property
    def spelled_like_ours(self) -> bool:
        """Whether the argument is written as our own is."""
        return bool(self.becomes) and self.name == kebab(self.becomes[0])


def kebab(field: str) -> str:
    """Return a setting's name as an option, without its hyphens in front."""
    return field.replace("_", "-")


UNREAL_4: Final = (
    "the OKE sample streams from Unreal 4.27, which needs --dialect legacy; for others, say --dialect auto"
)
_NOBODY: Final = "0 let nobody in, but would be no limit here; it is left out"
_NO_PAUSE: Final = "how often a matchmaker is dialled or pinged is not a setting"
_NO_PAGE: Final = "no page is served by itself; to serve one, give --serve, and its folder with --http-root"
_ONE_FOLDER: Final = "no more than one folder is served, the one that --http-root names"
_NO_LOGIN: Final = "there is no login page; let a proxy in front of the player port ask who comes"
_NO_FRONTEND: Final = "Epic's frontend service is not spoken to; the router serves the player page"
_NO_LOG_FILE: Final = "there are no log files; the log goes to stderr, in the form that --log-format names"
_NO_MESSAGES: Final = "messages are not printed; signalserver_messages_received_total counts them by type"
_NO_SAVING: Final = "the config file is never written"
_FOR_EVER: Final = "0 kept dead players for ever; --ping-interval stays as it is"
_ALSO_PLAYERS: Final = "it is --origins here, which players' pages need as well: name their origins too"
_NO_CORS_DETAIL: Final = "what a page of an allowed origin may send is fixed; --origins says which pages those are"
_NO_TURN: Final = "TURN credentials are not made here; --rtc-config-url names the service that makes them"
_NO_PASSWORD: Final = "players have no common token; --require-session admits those whom a matchmaker sends"  # noqa: S105 - prose
_ALLOW: Final = "players may call only the paths that --control-paths names; /* is all of them"

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
    LegacyOption("MaxPlayerCount", _C, ("max_players",), _NOBODY, convert=_player_limit),
    LegacyOption("UseMatchmaker", _C, ("matchmaker",), flag=True, convert=None),
    LegacyOption("MatchmakerAddress", _C, ("matchmaker",), convert=None),
    LegacyOption("MatchmakerPort", _C, ("matchmaker",), convert=None),
    LegacyOption("MatchmakerRetryInterval", _C, note=_NO_PAUSE, default="5"),
    LegacyOption("PublicIp", _C, ("public_url",), convert=None),
    LegacyOption("peerConnectionOptions", _C, ("peer_options",)),
    LegacyOption("HomepageFile", _C, ("homepage",), convert=_below_the_root),
    LegacyOption("EnableWebserver", _C, note=_NO_PAGE, flag=True, default="true", moot="false"),
    LegacyOption("AdditionalRoutes", _C, note=_ONE_FOLDER, moot="{}"),
    LegacyOption("UseAuthentication", _C, note=_NO_LOGIN, flag=True, moot="false"),
    LegacyOption("UseFrontend", _C, note=_NO_FRONTEND, flag=True, moot="false"),
    LegacyOption("FrontendUrl", _C, note=_NO_FRONTEND, default="https://localhost"),
    LegacyOption("DisableSSLCert", _C, note="it was about Epic's frontend service alone", flag=True, quiet=True),
    LegacyOption("LogToFile", _C, note=_NO_LOG_FILE, flag=True, default="true", moot="false"),
    LegacyOption("LogVerbose", _C, note=_NO_MESSAGES, flag=True, default="true", moot="false"),
    LegacyOption("PixelStreamingSessionMonitorPort", _C, note="no session monitor is spoken to", moot="0"),
    LegacyOption("config_file", _W, ("config",), convert=None),
    LegacyOption("no_config", _W, note="no file is read but the one that --config names", flag=True, quiet=True),
    LegacyOption("save", _W, note=_NO_SAVING, flag=True, moot="false"),
    LegacyOption("no_save", _W, note=_NO_SAVING, flag=True, quiet=True),
    LegacyOption("player_port", _W, ("player_port", "redirect_port"), convert=None),
    LegacyOption("streamer_port", _W, ("streamer_port",)),
    LegacyOption("sfu_port", _W, ("sfu_port",)),
    LegacyOption("max_players", _W, ("max_players_per_streamer",)),
    LegacyOption("player_keepalive_timeout", _W, ("ping_interval",), _FOR_EVER, convert=_seconds),
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
    LegacyOption("player_token", _W, note=_NO_PASSWORD, guards=True),
    LegacyOption("player_token_file", _W, note=_NO_PASSWORD, guards=True),
    LegacyOption("streamer_token", _W, ("streamer_token",)),
    LegacyOption("streamer_token_file", _W, ("streamer_token_file",)),
    LegacyOption("reverse-proxy", _W, ("trusted_proxies",), flag=True, convert=None, aliases=_PROXY),
    LegacyOption("reverse-proxy-num-proxies", _W, ("trusted_proxies",), convert=None, aliases=_PROXIES),
    LegacyOption("log_level_console", _W, ("log_level",)),
    LegacyOption("log_level_file", _W, note=_NO_LOG_FILE, default="info"),
    LegacyOption("log_folder", _W, note=_NO_LOG_FILE, default="logs"),
    LegacyOption("console_messages", _W, note=_NO_MESSAGES),
    LegacyOption("log_config", _W, note="GET /api/config shows the settings", flag=True, moot="false"),
    LegacyOption("stdin", _W, note="no keys are read; /api tells of streamers and players", flag=True, moot="false"),
    LegacyOption("public_ip", _W, ("public_url",), convert=None),
    LegacyOption("matchmaker", _W, ("matchmaker",), flag=True, convert=None),
    LegacyOption("matchmaker_address", _W, ("matchmaker",), convert=None),
    LegacyOption("matchmaker_port", _W, ("matchmaker",), convert=None),
    LegacyOption("matchmaker_retry", _W, note=_NO_PAUSE, default="5"),
    LegacyOption("matchmaker_keepalive", _W, note=_NO_PAUSE, default="30"),
    LegacyOption("metricsPort", _O, ("metrics_port",)),
    LegacyOption("certificateDir", _O, ("tls_cert", "tls_key"), convert=None),
    LegacyOption("rtcConfigSvc", _O, ("rtc_config_url",)),
    LegacyOption("ueRestEndpoint", _O, ("ue_rest_endpoint",), caution=_ALLOW, unless="control-paths"),
)

BY_NAME: Final = {name: option for option in OPTIONS for name in (option.name, *option.aliases)}
# The sample's manifests write cirrus's names with a small first letter, some people write them as they remember them.
_BY_FOLDED_NAME: Final = {option.name.casefold(): option for option in OPTIONS if option.server is not _W}


def find(name: str) -> LegacyOption | None:
    """Return the option of this name (without its hyphens), or None."""
    return BY_NAME.get(name) or _BY_FOLDED_NAME.get(name.casefold())
