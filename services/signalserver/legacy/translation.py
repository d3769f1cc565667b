"""Puts the table of older servers' options to use: their arguments and config keys become ours."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signalserver.legacy.options import (
    BY_NAME,
    DEFAULT_PLAYER_PORT,
    FALSE,
    LOOPBACK,
    NO_VALUE,
    REFUSED,
    TRUE,
    UNREAL_4,
    LegacyOption,
    Server,
    Value,
    find,
    kebab,
)


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
    ours = dict.fromkeys(map(kebab, kept_behind), "") | ours
    warnings: list[str] = []
    fields = _translate(_normalize(given, "--", warnings), _normalize(given_behind, "", []), ours, "--", warnings)
    if any(BY_NAME[name].server is Server.OKE for name in given) and "dialect" not in ours:
        warnings.append(UNREAL_4)
    return Translation([*_render(fields), *kept], list(dict.fromkeys(warnings)))


def translate_config(keys: Mapping[str, Any]) -> ConfigTranslation:
    """Return our keys for those of a cirrus.json or of Wilbur's config.json; keys that are neither's stay."""
    given, kept = _part_keys(keys)
    warnings: list[str] = []
    ours = dict.fromkeys(map(kebab, kept), "")
    fields = _translate(_normalize(given, "", warnings), {}, ours, "", warnings)
    # A number that stays where it was stays a number.
    plain = {key: value for key, value in keys.items() if isinstance(value, int | float)}
    same = {name: value for name, value in plain.items() if fields.get(name) == _text(value)}
    said = {name: value for name, value in fields.items() if value != ""}
    return ConfigTranslation(said | same | kept, list(dict.fromkeys(warnings)))


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
            kept.append(f"--{kebab(option.becomes[0])}=")  # The settings will say that the value is missing.
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
    theirs = [o for o in named.values() if o and o.server is Server.WILBUR and not o.guards]
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
        if BY_NAME[name].flag:
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
        option = BY_NAME[name]
        if option.convert is None:
            continue
        value = option.convert(text) if option.becomes else None
        if value is not None:
            fields[option.becomes[0]] = text == "true" if option.flag else value
        elif not option.quiet and text != option.moot:
            warnings.append(f"{prefix}{name}: {option.note}")
    touched = {field for name in here if BY_NAME[name].convert is None for field in BY_NAME[name].becomes}
    # On the command line alone, to name a port or an address is to ask for what it belongs to.
    together = _Together(dict(behind) | dict(here), frozenset(here if prefix else ()), ours.get("player-port", ""))
    fields |= {field: value for field, value in together.fields().items() if field in touched}
    for name in here:
        option = BY_NAME[name]
        if option.caution and option.becomes[0] in fields and option.unless not in ours:
            warnings.append(f"{prefix}{name}: {option.caution}")
    return fields


def _render(fields: Mapping[str, Value]) -> list[str]:
    arguments: list[str] = []
    for field, value in fields.items():
        name = kebab(field)
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
