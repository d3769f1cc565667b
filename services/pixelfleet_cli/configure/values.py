"""The values of an installation: names, defaults and validation. No I/O."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Final
from urllib.parse import urlsplit

from pixelfleet.auth.htpasswd import read_users
from pixelfleet.service.version import VERSION
from pixelfleet_cli.configure.turn import port, port_conflicts, relay_ports, turn_port

Check = Callable[[str], str]
"""Returns a normalized value; raises ValueError with the requirement."""

MIN_SECRET_BYTES: Final = 16
MAX_HOST_LENGTH: Final = 253
MIN_PREFIX_LENGTH: Final = 8

_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


@dataclass(frozen=True, slots=True)
class Name:
    """One value: its meaning, its check and its default; None means that it is required."""

    meaning: str
    check: Check
    default: str | None = ""


class ValuesError(ValueError):
    """Missing and invalid values, one line for each name."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def matching(pattern: str, must_be: str) -> Check:
    """Return a check for a pattern, with the requirement as text."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(f"must be {must_be}")
        return value

    return check


def one_of(*allowed: str) -> Check:
    """Return a check for a set of words."""
    return matching("|".join(map(re.escape, allowed)), " or ".join(allowed))


def count(value: str) -> str:
    """Check a number of streams."""
    if not re.fullmatch(r"[0-9]{1,5}", value):
        raise ValueError("must be a number from 0 to 99999")
    return str(int(value))


def path(value: str) -> str:
    """Check a path prefix; `/` becomes empty."""
    stripped = value.rstrip("/")
    if stripped and not re.fullmatch(r"(/(?!\.+(/|$))[A-Za-z0-9._~-]+)+", stripped):
        raise ValueError("must be a path such as /game")
    return stripped


def network(value: str) -> str:
    """Check an IPv4 network."""
    try:
        found = ip_network(value)
    except ValueError:
        found = None
    if not isinstance(found, IPv4Network):
        raise ValueError("must be a network such as 10.244.0.0/16")
    if found.prefixlen < MIN_PREFIX_LENGTH:
        raise ValueError(f"must be no larger than a /{MIN_PREFIX_LENGTH}: players can send to all of it through TURN")
    return str(found)


def host(value: str) -> str:
    """Check a host name for an Ingress, which is not an address."""
    labels = value.split(".")
    is_name = len(value) <= MAX_HOST_LENGTH and len(labels) > 1 and not labels[-1].isdecimal()
    if not is_name or not all(re.fullmatch(_LABEL, label) for label in labels):
        raise ValueError("must be a host name such as play.example.com")
    return value


def redis_url(value: str) -> str:
    """Check the URL of a Redis."""
    try:
        url = urlsplit(value)
        valid = url.scheme in ("redis", "rediss", "redis+sentinel") and bool(url.hostname)
    except ValueError:  # unclosed brackets
        valid = False
    if not valid or not _is_one_word(value):
        raise ValueError("must be a redis://, rediss:// or redis+sentinel:// address")
    return value


def users(value: str) -> str:
    """Check comma-separated htpasswd lines."""
    try:
        found = read_users(value.split(","), "admin")
    except ValueError as error:
        raise ValueError(f"must be comma-separated htpasswd lines: {error}") from None
    if not found or not value.isprintable():
        raise ValueError("must be comma-separated htpasswd lines")
    return value


def secret(value: str) -> str:
    """Check a secret that attackers can guess offline."""
    if len(value.encode("utf-8", "replace")) < MIN_SECRET_BYTES or not _is_one_word(value):
        raise ValueError(f"must have at least {MIN_SECRET_BYTES} bytes, and no spaces")
    return value


def _is_one_word(value: str) -> bool:
    """Return whether a value is a single word, which cannot be misread as several lines of a file."""
    return value.isprintable() and " " not in value


_namespace = matching(_LABEL, "a name of lower-case letters, digits and dashes")
_object = matching(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*", "a name of lower-case letters, digits, dashes and dots")
_repo = matching(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*", "a registry and path")
_image = matching(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*", "an image's name")
_tag = matching(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", "an image's tag")
_any = matching(r"(?s).*", "anything")

NAMES: Final[dict[str, Name]] = {
    "NAMESPACE": Name("namespace of the installation", _namespace, None),
    "REPO": Name("registry and path of the Pixelfleet image", _repo, None),
    "REPO_SECRET": Name("image pull secret for REPO", _object),
    "IMAGE_TAG": Name("tag of the Pixelfleet image", _tag, VERSION),
    "UNREAL_REPO": Name("registry and path of the application's image; REPO when empty", _repo),
    "UNREAL_IMAGE_NAME": Name("name of the application's image", _image, None),
    "UNREAL_REPO_SECRET": Name("image pull secret for UNREAL_REPO", _object),
    "UNREAL_IMAGE_TAG": Name("tag of the application's image", _tag, "latest"),
    "INGRESS_HOST": Name("public host name", host, None),
    "INGRESS_PATH": Name("path prefix of all URLs, such as /game", path),
    "INGRESS_CLASS": Name("class of the Ingress; the cluster's default when empty", _object),
    "INGRESS_TLS_ISSUER": Name("cert-manager issuer of the certificate; no TLS when empty", _object),
    "INGRESS_TLS_ISSUER_KIND": Name("kind of that issuer", one_of("ClusterIssuer", "Issuer"), "ClusterIssuer"),
    "GATEWAY_CLASS": Name("GatewayClass; uses the Gateway API in place of an Ingress", _object),
    "TRUSTED_PROXIES": Name(
        "proxies in front of the routers, the ingress among them, that append to X-Forwarded-For",
        matching(r"[0-9]|1[0-6]", "a number from 0 to 16"),
        "1",
    ),
    "TURN_USER": Name("is no longer used: each session has its own user", _any),
    "TURN_PASS": Name("is no longer used", _any),
    "TURN_SECRET": Name("secret of the TURN servers; generated when empty", secret),
    "TURN_NODE_ADDRESS": Name("kind of node address that players reach", one_of("external", "internal"), "external"),
    "TURN_PORT": Name("port of the TURN servers on their nodes, for STUN and for TURN", turn_port, "3478"),
    "TURN_RELAY_PORTS": Name("ports of the TURN servers' relays", relay_ports, "49152-65535"),
    "TURN_METRICS_PORT": Name("port of the TURN servers' metrics", port, "9641"),
    "POD_NETWORK": Name("pod network, to which TURN may relay", network, "10.244.0.0/16"),
    "PROXY_ENABLE": Name("allow users to call the applications' REST APIs", one_of("true", "false"), "false"),
    "PROXY_PATH_PREFIX": Name("path prefix of those REST APIs", one_of("/proxy"), "/proxy"),
    "PROXY_AUTH_USERS": Name("users of REST APIs and dashboard, as htpasswd lines", users),
    "DASHBOARD_ENABLE": Name("allow those users to open the dashboard", one_of("true", "false"), "false"),
    "GPU": Name(
        "GPU resources of a stream: a GPU, a share of one, or a MIG slice",
        matching(r"limit|share|mig-[a-z0-9]+(\.[a-z0-9]+)*", "limit, share or a MIG profile such as mig-1g.5gb"),
        "limit",
    ),
    "KUBERNETES": Name(
        "version of the cluster; asked of the cluster when empty",
        matching(r"1\.(29|[3-9][0-9])", "a version from 1.29, such as 1.35"),
    ),
    "AUTOSCALING": Name("autoscaler of the streams", one_of("hpa", "hpa-ratio", "keda", "none"), "hpa"),
    "STREAMS_MIN": Name("minimum number of streams", count, "1"),
    "STREAMS_MAX": Name("maximum number of streams", count, "10"),
    "STREAMS_WARM": Name("number of idle streams, for hpa and keda", count, "1"),
    "MONITORING": Name("discovery of the pods by Prometheus", one_of("annotations", "podmonitor"), "annotations"),
    "REDIS_URL": Name("URL of an external Redis; the bundled one when empty", redis_url),
}


def parse(text: str) -> dict[str, str]:
    """Return the values of a `.env` file; raise ValuesError for invalid lines.

    A line is NAME=VALUE, with an optional `export` and optional quotes around the value. `#` begins a comment at the
    start of a line, or after a space that follows an unquoted value.
    """
    values: dict[str, str] = {}
    wrong: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip().removeprefix("export ").strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = stripped.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            wrong.append(f"line {number}: is not NAME=VALUE")
            continue
        values[name] = _unquoted(value.strip())
    if wrong:
        raise ValuesError(wrong)
    return values


def checked(file_values: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return all values from the file, the environment or the defaults; raise ValuesError with all errors."""
    wrong = [f"{name}: is not a known name" for name in file_values if name not in NAMES]
    values: dict[str, str] = {}
    for name, known in NAMES.items():
        value = (file_values[name] if name in file_values else environ.get(name)) or known.default
        if value is None:
            wrong.append(f"{name}: is missing ({known.meaning})")
        elif value:
            try:
                values[name] = known.check(value)
            except ValueError as error:
                wrong.append(f"{name}: {error}")
        else:
            values[name] = ""
    wrong += _conflicts(values)
    if wrong:
        raise ValuesError(wrong)
    values["UNREAL_REPO"] = values["UNREAL_REPO"] or values["REPO"]
    values["UNREAL_REPO_SECRET"] = values["UNREAL_REPO_SECRET"] or values["REPO_SECRET"]
    return values


def _conflicts(values: Mapping[str, str]) -> list[str]:
    """Return the errors of values that contradict each other."""
    wrong = port_conflicts(values)
    wrong += [
        f"PROXY_AUTH_USERS: is missing, and {name} requires users"
        for name in ("PROXY_ENABLE", "DASHBOARD_ENABLE")
        if values.get(name) == "true" and values.get("PROXY_AUTH_USERS") == ""
    ]
    minimum, maximum = values.get("STREAMS_MIN"), values.get("STREAMS_MAX")
    if minimum and maximum and (int(minimum) > int(maximum) or maximum == "0"):
        wrong.append("STREAMS_MAX: must be at least STREAMS_MIN and at least 1")
    if minimum == "0" and values.get("AUTOSCALING", "").startswith("hpa"):
        wrong.append(f"STREAMS_MIN: must be at least 1 with AUTOSCALING={values['AUTOSCALING']}; keda scales to zero")
    return wrong


def _unquoted(value: str) -> str:
    if value[:1] in ("'", '"'):
        end = value.find(value[0], 1)
        if end > 0:
            return value[1:end]
    return re.split(r"\s+#|^#", value, maxsplit=1)[0].strip()
