"""The options of the servers that this one stands in for, and what became of each of them.

`OPTIONS` is the table, and docs/migration.md shows it to people. `translate_arguments` and `translate_config` put it
to use, so that a manifest or a cirrus.json that was written for cirrus (Unreal 4.27 to 5.4), for Wilbur (5.5 and
later) or for the sidecar of the OKE sample starts this server. An option that is spelled as ours is ours.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

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
        return bool(self.becomes) and self.name == _kebab(self.becomes[0])


def _kebab(field: str) -> str:
    return field.replace("_", "-")


_UNREAL_4: Final = (
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
_NO_TOKEN_FILE: Final = "the token is not read from a file; set PIXELFLEET_SIGNALSERVER_STREAMER_TOKEN to it"  # noqa: S105 - prose
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
    LegacyOption("streamer_token_file", _W, note=_NO_TOKEN_FILE, guards=True),
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

_BY_NAME: Final = {name: option for option in OPTIONS for name in (option.name, *option.aliases)}
# The sample's manifests write cirrus's names with a small first letter, some people write them as they remember them.
_BY_FOLDED_NAME: Final = {option.name.casefold(): option for option in OPTIONS if option.server is not _W}


@dataclass(frozen=True, slots=True)
class Translation:
    """Arguments in our own options, and a sentence for the user on each that is not what it was."""

    arguments: list[str]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class ConfigTranslation:
    """The same for the keys of a config file."""

    keys: dict[str, Any]
    warnings: list[str]


def translate_arguments(argv: Sequence[str], config: Mapping[str, Any] | None = None) -> Translation:
    """Return our arguments for those of an older server; our own stay as they are, and win.

    `config` is what the config file holds: it completes options that make one setting together, when some of them
    stand there and some on the command line.
    """
    given, kept, ours = _part_arguments(argv)
    given_behind, kept_behind = _part_keys(config or {})
    ours = dict.fromkeys(map(_kebab, kept_behind), "") | ours
    warnings: list[str] = []
    fields = _translate(_normalize(given, "--", warnings), _normalize(given_behind, "", []), ours, "--", warnings)
    if any(_BY_NAME[name].server is _O for name in given) and "dialect" not in ours:
        warnings.append(_UNREAL_4)
    return Translation([*_render(fields), *kept], list(dict.fromkeys(warnings)))


def translate_config(keys: Mapping[str, Any]) -> ConfigTranslation:
    """Return our keys for those of a cirrus.json or of Wilbur's config.json; keys that are neither's stay."""
    given, kept = _part_keys(keys)
    warnings: list[str] = []
    ours = dict.fromkeys(map(_kebab, kept), "")
    fields = _translate(_normalize(given, "", warnings), {}, ours, "", warnings)
    # A number that stays where it was stays a number.
    plain = {key: value for key, value in keys.items() if isinstance(value, int | float)}
    same = {name: value for name, value in plain.items() if fields.get(name) == _text(value)}
    said = {name: value for name, value in fields.items() if value != ""}
    return ConfigTranslation(said | same | kept, list(dict.fromkeys(warnings)))


def find(name: str) -> LegacyOption | None:
    """Return the option of this name (without its hyphens), or None."""
    return _BY_NAME.get(name) or _BY_FOLDED_NAME.get(name.casefold())


def _part_arguments(argv: Sequence[str]) -> tuple[dict[str, str], list[str], dict[str, str]]:
    """Return the older servers' options with their last texts, the other arguments, and our options among these."""
    given: dict[str, str] = {}
    kept: list[str] = []
    ours: dict[str, str] = {}
    at = 0
    while at < len(argv):
        token, at = argv[at], at + 1
        if token == "--":  # noqa: S105 - the end of the options
            return given, [*kept, token, *argv[at:]], ours
        name, equals, inline = token.removeprefix("--").partition("=")
        following = argv[at] if at < len(argv) and not argv[at].startswith("--") else None
        option, switch = _theirs(name) if token.startswith("--") else (None, "")
        if option is None:
            kept.append(token)
            ours[name] = inline if equals else following or ""
            continue
        if equals:
            text = inline
        elif following is not None and (not option.flag or _is_switch(following)):
            text, at = following, at + 1
        elif option.flag:
            text = switch
        elif option.becomes:
            kept.append(f"--{_kebab(option.becomes[0])}=")  # The settings will say that the value is missing.
            continue
        else:
            text = NO_VALUE
        if text or not option.guards:
            given[option.name] = text
        if text and option.guards:
            kept.append(f"--{option.name}={REFUSED}")
    return given, kept, ours


def _theirs(name: str) -> tuple[LegacyOption | None, str]:
    """Return the older servers' option of this name, if it is none of ours, and what its bare name says."""
    option, switch = find(name), "true"
    if option is None and name.startswith("no-"):
        # yargs takes --no-UseHTTPS for --UseHTTPS=false.
        option, switch = find(name.removeprefix("no-")), "false"
    known = option is not None and not option.spelled_like_ours and (option.flag or switch == "true")
    return (option if known else None), switch


def _part_keys(keys: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the older servers' options in a config file with their texts, and the other keys."""
    given: dict[str, str] = {}
    kept: dict[str, Any] = {}
    named = {key: find(key) for key in keys}
    theirs = [o for o in named.values() if o and o.server is _W and not o.guards]
    is_wilburs = any(option.name not in (*option.becomes, "max_players") for option in theirs)
    for key, value in keys.items():
        option, text = named[key], _text(value)
        # Ours has a max_players too, and counts all players with it; and ours names the matchmaker by its address.
        means_ours = key == "max_players" and not is_wilburs
        if option is None or means_ours or (option.spelled_like_ours and option.flag and not _is_switch(text)):
            kept[key] = value
            continue
        if option.guards and text:
            kept[key] = REFUSED
        if text != option.default or not text:
            given[option.name] = text
    return given, kept


def _text(value: object) -> str:
    """Return a value of a config file as it would be written on the command line; nothing is the empty text."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, default=str)


def _is_switch(text: str) -> bool:
    return text.casefold() in TRUE | FALSE


def _normalize(given: Mapping[str, str], prefix: str, warnings: list[str]) -> dict[str, str]:
    """Return the options that have a value, switches as `true` or `false`."""
    result: dict[str, str] = {}
    for name, text in given.items():
        if _BY_NAME[name].flag:
            if not _is_switch(text):
                warnings.append(f"{prefix}{name}: is neither true nor false; taken as true")
            result[name] = "false" if text.casefold() in FALSE else "true"
        elif text:
            result[name] = text
    return result


def _translate(
    here: Mapping[str, str], behind: Mapping[str, str], ours: Mapping[str, str], prefix: str, warnings: list[str]
) -> dict[str, Value]:
    """Return our settings for the options given here, completed by those in the file behind."""
    fields: dict[str, Value] = {}
    for name, text in here.items():
        option = _BY_NAME[name]
        if option.convert is None:
            continue
        value = option.convert(text) if option.becomes else None
        if value is not None:
            fields[option.becomes[0]] = text == "true" if option.flag else value
        elif not option.quiet and text != option.moot:
            warnings.append(f"{prefix}{name}: {option.note}")
    touched = {field for name in here if _BY_NAME[name].convert is None for field in _BY_NAME[name].becomes}
    # On the command line alone, to name a port or an address is to ask for what it belongs to.
    together = _Together(dict(behind) | dict(here), frozenset(here if prefix else ()), ours.get("player-port", ""))
    fields |= {field: value for field, value in together.fields().items() if field in touched}
    for name in here:
        option = _BY_NAME[name]
        if option.caution and option.becomes[0] in fields and option.unless not in ours:
            warnings.append(f"{prefix}{name}: {option.caution}")
    return fields


def _render(fields: Mapping[str, Value]) -> list[str]:
    arguments: list[str] = []
    for field, value in fields.items():
        name = _kebab(field)
        if isinstance(value, bool):
            arguments.append(f"--{name}" if value else f"--no-{name}")
        else:
            arguments.extend(f"--{name}={each}" for each in ([value] if isinstance(value, str) else value))
    return arguments


class _Together:
    """The options of which several make one setting."""

    def __init__(self, options: Mapping[str, str], implying: frozenset[str], own_player_port: str) -> None:
        self._options = options
        self._implying = implying
        self._own_player_port = own_player_port

    def fields(self) -> dict[str, Value]:
        """Return our settings."""
        fields = self._ports() | self._matchmaker()
        if self._options.get("no_config") != "true":
            fields["config"] = self._text("config_file")
        host = self._text("PublicIp", "public_ip")
        if host not in LOOPBACK:
            # Such an address tells nobody where this server is.
            scheme = "wss" if "tls_cert" in fields else "ws"
            port = self._own_player_port or fields.get("player_port") or DEFAULT_PLAYER_PORT
            fields["public_url"] = f"{scheme}://{_bracketed(host)}:{port}" if host else ""
        if self._on("reverse-proxy", or_given="reverse-proxy-num-proxies"):
            fields["trusted_proxies"] = self._text("reverse-proxy-num-proxies") or "1"
        if self._on("cors"):
            fields["origins"] = [o.strip() for o in self._text("cors_allowed_origins").split(",") if o.strip()]
        return {field: value for field, value in fields.items() if value or field == "matchmaker"}

    def _text(self, *names: str) -> str:
        return next((self._options[name] for name in names if name in self._options), "")

    def _on(self, *names: str, or_given: str = "") -> bool:
        """Whether the switch is on; where it is not given at all, another option may say so by being there."""
        return (self._text(*names) or ("true" if or_given in self._implying else "")) == "true"

    def _ports(self) -> dict[str, Value]:
        """With TLS, players come to one port, and what the other can do is to send them there."""
        plain = self._text("HttpPort", "player_port")
        if not self._on("UseHTTPS", "https", or_given="https_port"):
            return {"player_port": plain}
        folder = self._text("certificateDir").rstrip("/")
        cert, key = self._text("HTTPSCertFile", "ssl_cert_path"), self._text("HTTPSKeyFile", "ssl_key_path")
        # Cirrus always sends players on, Wilbur when it is asked to.
        redirects = self._on("UseHTTPS") or self._on("https_redirect")
        return {
            "player_port": self._text("HttpsPort", "https_port") or "443",
            "redirect_port": (plain or "80") if redirects else "",
            "tls_cert": f"{folder}/fullchain.pem" if folder else cert or "certificates/client-cert.pem",
            "tls_key": f"{folder}/privkey.pem" if folder else key or "certificates/client-key.pem",
        }

    def _matchmaker(self) -> dict[str, Value]:
        """Wilbur's address switches the matchmaker on, cirrus's does not. The empty text switches off."""
        if not self._on("UseMatchmaker", "matchmaker", or_given="matchmaker_address"):
            return {"matchmaker": ""} if self._text("UseMatchmaker", "matchmaker") else {}
        host = self._text("MatchmakerAddress", "matchmaker_address") or LOOPBACK[1]
        return {"matchmaker": f"{_bracketed(host)}:{self._text('MatchmakerPort', 'matchmaker_port') or '9999'}"}


def _bracketed(host: str) -> str:
    """Return a host as it stands before a port: an IPv6 address in brackets."""
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
