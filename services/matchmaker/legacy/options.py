"""The options of the reference matchmaker (Unreal 4.27 to 5.4), and what they become here.

As arguments (`--HttpPort=80`, `--HttpPort 80`) and as keys of its config.json; docs/how-to/migration.md lists them.
An option that is spelled as ours is ours, and ours win.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

HTTPS_PORT: Final = "443"
DEFAULT_HTTP_PORT: Final = "80"
CERTIFICATE: Final = "certificates/client-cert.pem"
KEY: Final = "certificates/client-key.pem"

SWITCHES: Final = ("UseHTTPS", "LogToFile", "EnableWebserver")
NAMES: Final = ("configFile", "HttpPort", "MatchmakerPort", "metricsPort", *SWITCHES)
OFF: Final = frozenset({"false", "0", "no", "off", ""})
ON: Final = frozenset({"true", "1", "yes", "on"})

NO_LOG_FILE: Final = "LogToFile: there are no log files; the log goes to stderr, in the form that --log-format names"
LOOPBACK_ONLY: Final = (
    "MatchmakerPort: stock servers are taken from this machine alone; --legacy-host 0.0.0.0 takes them from others"
)

_FOLDED: Final = {name.casefold(): name for name in NAMES}

Fields = dict[str, str]


def translate_arguments(argv: Sequence[str], config: Mapping[str, Any] | None = None) -> tuple[list[str], list[str]]:
    """Return our arguments for those of the reference matchmaker, and warnings; our own stay as they are.

    `config` is what the config file holds, which completes what is given here.
    """
    given: Fields = {}
    renewal: list[str] = []
    at = 0
    while at < len(argv):
        token, at = argv[at], at + 1
        if token == "--":  # noqa: S105 - the end of the options
            renewal += [token, *argv[at:]]
            break
        name, equals, text = token.removeprefix("--").partition("=")
        known = _FOLDED.get(name.casefold()) if token.startswith("--") else None
        if known is None:
            renewal.append(token)
            continue
        following = argv[at] if at < len(argv) and not argv[at].startswith("--") else None
        if not equals and following is not None and (known not in SWITCHES or following.casefold() in OFF | ON):
            text, at = following, at + 1
        elif not equals and known in SWITCHES:
            text = "true"
        given[known] = text
    behind = _theirs(config or {})
    fields = _fields(given, {**behind, **given})
    own = {token.removeprefix("--").partition("=")[0] for token in renewal}
    own.update(name.replace("_", "-") for name in config or ())
    arguments = [f"--{name.replace('_', '-')}={text}" for name, text in fields.items()]
    return [*arguments, *renewal], _warnings(given, own)


def translate_config(keys: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return our keys for those of the reference's config.json, and warnings; other keys stay."""
    given = _theirs(keys)
    renewal = {key: value for key, value in keys.items() if key.casefold() not in _FOLDED}
    headers = {name: text for name, text in given.items() if (name, text) != ("LogToFile", "true")}
    return {**_fields(given, given), **renewal}, _warnings(headers, {name.replace("_", "-") for name in renewal})


def _theirs(keys: Mapping[str, Any]) -> Fields:
    known = {_FOLDED[key.casefold()]: value for key, value in keys.items() if key.casefold() in _FOLDED}
    return {
        name: value if isinstance(value, str) else json.dumps(value, default=str)
        for name, value in known.items()
        if value is not None
    }


def _fields(given: Fields, together: Fields) -> Fields:
    """Return our settings for the options given, of which some need what stands elsewhere."""
    fields: Fields = {}
    secure = together.get("UseHTTPS", "").casefold() not in OFF
    if "configFile" in given:
        fields["config"] = given["configFile"]
    if secure and ("UseHTTPS" in given or "HttpPort" in given):
        # It listened on 443 then, and sent everybody there who came to the other port.
        fields |= {"port": HTTPS_PORT, "tls_cert": CERTIFICATE, "tls_key": KEY}
        fields["redirect_port"] = together.get("HttpPort") or DEFAULT_HTTP_PORT
    elif "HttpPort" in given:
        fields["port"] = given["HttpPort"]
    if "MatchmakerPort" in given:
        fields["legacy_port"] = given["MatchmakerPort"]
    if "metricsPort" in given:
        fields["metrics_port"] = given["metricsPort"]
    return fields


def _warnings(given: Fields, own: set[str]) -> list[str]:
    warnings = []
    if given.get("LogToFile", "").casefold() not in OFF:
        warnings.append(NO_LOG_FILE)
    if "MatchmakerPort" in given and "legacy-host" not in own:
        warnings.append(LOOPBACK_ONLY)
    return warnings
