"""Translates the options of the reference matchmaker (Unreal 4.27 to 5.4) to those of Pixelfleet.

They may be arguments (`--HttpPort=80`, `--HttpPort 80`) or keys of its config.json; docs/how-to/migration.md lists
them. An option with the exact name of a Pixelfleet option is not translated, and takes precedence.
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

NO_LOG_FILE: Final = "LogToFile: log files are not supported; the log goes to stderr, in the format of --log-format"
LOOPBACK_ONLY: Final = (
    "MatchmakerPort: only legacy servers of this machine can connect; --legacy-host 0.0.0.0 accepts remote ones"
)

_FOLDED: Final = {name.casefold(): name for name in NAMES}

Fields = dict[str, str]


def translate_arguments(argv: Sequence[str], config: Mapping[str, Any] | None = None) -> tuple[list[str], list[str]]:
    """Return the arguments with the reference matchmaker's translated, and warnings; other arguments are unchanged.

    `config` holds the keys of the config file, which complete the arguments.
    """
    reference: Fields = {}
    others: list[str] = []
    at = 0
    while at < len(argv):
        token, at = argv[at], at + 1
        if token == "--":  # noqa: S105 - the end of the options
            others += [token, *argv[at:]]
            break
        name, equals, text = token.removeprefix("--").partition("=")
        option = _FOLDED.get(name.casefold()) if token.startswith("--") else None
        if option is None:
            others.append(token)
            continue
        following = argv[at] if at < len(argv) and not argv[at].startswith("--") else None
        if not equals and following is not None and (option not in SWITCHES or following.casefold() in OFF | ON):
            text, at = following, at + 1
        elif not equals and option in SWITCHES:
            text = "true"
        reference[option] = text
    from_config = _reference_options(config or {})
    fields = _fields(reference, {**from_config, **reference})
    other_names = {token.removeprefix("--").partition("=")[0] for token in others}
    other_names.update(name.replace("_", "-") for name in config or ())
    arguments = [f"--{name.replace('_', '-')}={text}" for name, text in fields.items()]
    return [*arguments, *others], _warnings(reference, other_names)


def translate_config(keys: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the keys with those of the reference's config.json translated, and warnings; other keys are unchanged."""
    reference = _reference_options(keys)
    others = {key: value for key, value in keys.items() if key.casefold() not in _FOLDED}
    # The reference's own config.json has `"LogToFile": true`: no warning for the default.
    chosen = {name: text for name, text in reference.items() if (name, text) != ("LogToFile", "true")}
    return {**_fields(reference, reference), **others}, _warnings(chosen, {name.replace("_", "-") for name in others})


def _reference_options(keys: Mapping[str, Any]) -> Fields:
    options = {_FOLDED[key.casefold()]: value for key, value in keys.items() if key.casefold() in _FOLDED}
    return {
        name: value if isinstance(value, str) else json.dumps(value, default=str)
        for name, value in options.items()
        if value is not None
    }


def _fields(options: Fields, all_options: Fields) -> Fields:
    """Return the settings for `options`; `all_options` also has those of the config file."""
    fields: Fields = {}
    secure = all_options.get("UseHTTPS", "").casefold() not in OFF
    if "configFile" in options:
        fields["config"] = options["configFile"]
    if secure and ("UseHTTPS" in options or "HttpPort" in options):
        # With UseHTTPS the reference listens on port 443, and redirects HttpPort to it.
        fields |= {"port": HTTPS_PORT, "tls_cert": CERTIFICATE, "tls_key": KEY}
        fields["redirect_port"] = all_options.get("HttpPort") or DEFAULT_HTTP_PORT
    elif "HttpPort" in options:
        fields["port"] = options["HttpPort"]
    if "MatchmakerPort" in options:
        fields["legacy_port"] = options["MatchmakerPort"]
    if "metricsPort" in options:
        fields["metrics_port"] = options["metricsPort"]
    return fields


def _warnings(options: Fields, other_names: set[str]) -> list[str]:
    warnings = []
    if options.get("LogToFile", "").casefold() not in OFF:
        warnings.append(NO_LOG_FILE)
    if "MatchmakerPort" in options and "legacy-host" not in other_names:
        warnings.append(LOOPBACK_ONLY)
    return warnings
