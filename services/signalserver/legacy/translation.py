"""Translates arguments and config keys of legacy servers to this server's, with the table in `options.py`."""

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
    """Arguments of this server, and a warning for each legacy option that is gone or differs."""

    arguments: list[str]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class ConfigTranslation:
    """The keys of this server's config file, and the warnings."""

    keys: dict[str, Any]
    warnings: list[str]


def translate_arguments(argv: Sequence[str], config: Mapping[str, Any] | None = None) -> Translation:
    """Translate the arguments of a legacy server; arguments of this server stay unchanged and take precedence.

    `config` is the content of the config file. Where several options make one setting, the options in the file
    complete those of the command line.
    """
    legacy, rest, own = _split_arguments(argv)
    legacy_keys, own_keys = _split_keys(config or {})
    own = dict.fromkeys(map(kebab, own_keys), "") | own
    warnings: list[str] = []
    fields = _translate(_normalize(legacy, "--", warnings), _normalize(legacy_keys, "", []), own, "--", warnings)
    if any(BY_NAME[name].server is Server.OKE for name in legacy) and "dialect" not in own:
        warnings.append(UNREAL_4)
    return Translation([*_render(fields), *rest], list(dict.fromkeys(warnings)))


def translate_config(keys: Mapping[str, Any]) -> ConfigTranslation:
    """Translate the keys of cirrus.json or of Wilbur's config.json; other keys stay unchanged."""
    legacy, rest = _split_keys(keys)
    warnings: list[str] = []
    own = dict.fromkeys(map(kebab, rest), "")
    fields = _translate(_normalize(legacy, "", warnings), {}, own, "", warnings)
    # A number whose key and value do not change keeps its type.
    numbers = {key: value for key, value in keys.items() if isinstance(value, int | float)}
    unchanged = {name: value for name, value in numbers.items() if fields.get(name) == _text(value)}
    translated = {name: value for name, value in fields.items() if value != ""}
    return ConfigTranslation(translated | unchanged | rest, list(dict.fromkeys(warnings)))


def _split_arguments(argv: Sequence[str]) -> tuple[dict[str, str], list[str], dict[str, str]]:
    """Return the legacy options with their last values, the other arguments, and this server's options among these."""
    legacy: dict[str, str] = {}
    rest: list[str] = []
    own: dict[str, str] = {}
    at = 0
    while at < len(argv):
        token, at = argv[at], at + 1
        if token == "--":  # noqa: S105 - the end of the options
            return legacy, [*rest, token, *argv[at:]], own
        name, equals, inline = token.removeprefix("--").partition("=")
        following = argv[at] if at < len(argv) and not argv[at].startswith("--") else None
        option, switch = _find_legacy(name) if token.startswith("--") else (None, "")
        if option is None:
            rest.append(token)
            own[name] = inline if equals else following or ""
            continue
        if equals:
            text = inline
        elif following is not None and (not option.flag or _is_switch(following)):
            text, at = following, at + 1
        elif option.flag:
            text = switch
        elif option.becomes:
            rest.append(f"--{kebab(option.becomes[0])}=")  # The settings report the missing value.
            continue
        else:
            text = NO_VALUE
        if text or not option.guards:
            legacy[option.name] = text
        if text and option.guards:
            rest.append(f"--{option.name}={REFUSED}")
    return legacy, rest, own


def _find_legacy(name: str) -> tuple[LegacyOption | None, str]:
    """Return the legacy option with this name, unless it is an option of this server, and its value without `=`."""
    option, switch = find(name), "true"
    if option is None and name.startswith("no-"):
        # yargs treats --no-UseHTTPS as --UseHTTPS=false.
        option, switch = find(name.removeprefix("no-")), "false"
    is_legacy = option is not None and not option.spelled_like_ours and (option.flag or switch == "true")
    return (option if is_legacy else None), switch


def _split_keys(keys: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the legacy options in a config file with their values, and the other keys."""
    legacy: dict[str, str] = {}
    rest: dict[str, Any] = {}
    options = {key: find(key) for key in keys}
    wilbur = [o for o in options.values() if o and o.server is Server.WILBUR and not o.guards]
    is_wilbur_file = any(option.name not in (*option.becomes, "max_players") for option in wilbur)
    for key, value in keys.items():
        option, text = options[key], _text(value)
        # This server also has a max_players, which counts all players. Its matchmaker is an address, Wilbur's a switch.
        is_own = key == "max_players" and not is_wilbur_file
        if option is None or is_own or (option.spelled_like_ours and option.flag and not _is_switch(text)):
            rest[key] = value
            continue
        if option.guards and text:
            rest[key] = REFUSED
        if text != option.default or not text:
            legacy[option.name] = text
    return legacy, rest


def _text(value: object) -> str:
    """Return a value of a config file as command-line text; null is the empty text."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, default=str)


def _is_switch(text: str) -> bool:
    return text.casefold() in TRUE | FALSE


def _normalize(options: Mapping[str, str], prefix: str, warnings: list[str]) -> dict[str, str]:
    """Return the options that have a value, with switches as `true` or `false`."""
    result: dict[str, str] = {}
    for name, text in options.items():
        if BY_NAME[name].flag:
            if not _is_switch(text):
                warnings.append(f"{prefix}{name}: is neither true nor false; true is assumed")
            result[name] = "false" if text.casefold() in FALSE else "true"
        elif text:
            result[name] = text
    return result


def _translate(
    options: Mapping[str, str],
    fallback: Mapping[str, str],
    own: Mapping[str, str],
    prefix: str,
    warnings: list[str],
) -> dict[str, Value]:
    """Return the settings for legacy options; `fallback` completes settings that are made of several options."""
    fields: dict[str, Value] = {}
    for name, text in options.items():
        option = BY_NAME[name]
        if option.convert is None:
            continue
        value = option.convert(text) if option.becomes else None
        if value is not None:
            fields[option.becomes[0]] = text == "true" if option.flag else value
        elif not option.quiet and text != option.moot:
            warnings.append(f"{prefix}{name}: {option.note}")
    affected = {field for name in options if BY_NAME[name].convert is None for field in BY_NAME[name].becomes}
    # On the command line, but not in a file, a port or an address implies the switch that it belongs to.
    implying = frozenset(options if prefix else ())
    combined = _CombinedOptions(dict(fallback) | dict(options), implying, own.get("player-port", ""))
    fields |= {field: value for field, value in combined.fields().items() if field in affected}
    for name in options:
        option = BY_NAME[name]
        if option.caution and option.becomes[0] in fields and option.unless not in own:
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


class _CombinedOptions:
    """The legacy options of which several make one setting."""

    def __init__(self, options: Mapping[str, str], implying: frozenset[str], own_player_port: str) -> None:
        self._options = options
        self._implying = implying
        self._own_player_port = own_player_port

    def fields(self) -> dict[str, Value]:
        """Return the settings."""
        fields = self._ports() | self._matchmaker()
        if self._options.get("no_config") != "true":
            fields["config"] = self._text("config_file")
        host = self._text("PublicIp", "public_ip")
        if host not in LOOPBACK:
            # Other hosts cannot reach a loopback address.
            scheme = "wss" if "tls_cert" in fields else "ws"
            port = self._own_player_port or fields.get("player_port") or DEFAULT_PLAYER_PORT
            fields["public_url"] = f"{scheme}://{_bracketed(host)}:{port}" if host else ""
        if self._on("reverse-proxy", implied_by="reverse-proxy-num-proxies"):
            fields["trusted_proxies"] = self._text("reverse-proxy-num-proxies") or "1"
        if self._on("cors"):
            fields["origins"] = [o.strip() for o in self._text("cors_allowed_origins").split(",") if o.strip()]
        return {field: value for field, value in fields.items() if value or field == "matchmaker"}

    def _text(self, *names: str) -> str:
        return next((self._options[name] for name in names if name in self._options), "")

    def _on(self, *names: str, implied_by: str = "") -> bool:
        """Return whether a switch is on; without the switch, the presence of `implied_by` turns it on."""
        return (self._text(*names) or ("true" if implied_by in self._implying else "")) == "true"

    def _ports(self) -> dict[str, Value]:
        """Return the ports and TLS files. With TLS, the plain port can only redirect to the TLS port."""
        plain = self._text("HttpPort", "player_port")
        if not self._on("UseHTTPS", "https", implied_by="https_port"):
            return {"player_port": plain}
        folder = self._text("certificateDir").rstrip("/")
        cert, key = self._text("HTTPSCertFile", "ssl_cert_path"), self._text("HTTPSKeyFile", "ssl_key_path")
        # Cirrus always redirects, Wilbur only with --https_redirect.
        redirects = self._on("UseHTTPS") or self._on("https_redirect")
        return {
            "player_port": self._text("HttpsPort", "https_port") or "443",
            "redirect_port": (plain or "80") if redirects else "",
            "tls_cert": f"{folder}/fullchain.pem" if folder else cert or "certificates/client-cert.pem",
            "tls_key": f"{folder}/privkey.pem" if folder else key or "certificates/client-key.pem",
        }

    def _matchmaker(self) -> dict[str, Value]:
        """Return the matchmaker's address. Wilbur's address implies the switch, cirrus's does not; off is empty."""
        if not self._on("UseMatchmaker", "matchmaker", implied_by="matchmaker_address"):
            return {"matchmaker": ""} if self._text("UseMatchmaker", "matchmaker") else {}
        host = self._text("MatchmakerAddress", "matchmaker_address") or LOOPBACK[1]
        return {"matchmaker": f"{_bracketed(host)}:{self._text('MatchmakerPort', 'matchmaker_port') or '9999'}"}


def _bracketed(host: str) -> str:
    """Return a host for use before a port: an IPv6 address in brackets."""
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
