"""The values that an installation is made of: their names, what each may be, and all that is wrong at once. No I/O."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Final
from urllib.parse import urlsplit

from pixelfleet.auth.htpasswd import read_users
from pixelfleet.service.version import VERSION

Check = Callable[[str], str]
"""Returns a value as it is used; raises ValueError, whose text says what the value must be."""

MIN_SECRET_BYTES: Final = 16
MAX_HOST_LENGTH: Final = 253
LARGEST_NETWORK: Final = 8

_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


@dataclass(frozen=True, slots=True)
class Name:
    """One value: what it is for, how it is checked, and what it is when nobody says. None: it must be said."""

    meaning: str
    check: Check
    default: str | None = ""


class ValuesError(ValueError):
    """What is missing or wrong, one line a name."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def matching(pattern: str, must_be: str) -> Check:
    """Return a check by a pattern; the empty value passes where it is the default."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(f"must be {must_be}")
        return value

    return check


def one_of(*allowed: str) -> Check:
    """Return a check for one of a few words."""
    return matching("|".join(map(re.escape, allowed)), " or ".join(allowed))


def count(value: str) -> str:
    """Check a number of streams."""
    if not re.fullmatch(r"[0-9]{1,5}", value):
        raise ValueError("must be a number from 0 to 99999")
    return str(int(value))


def path(value: str) -> str:
    """Check a path prefix; `/` is none."""
    stripped = value.rstrip("/")
    if stripped and not re.fullmatch(r"(/(?!\.+(/|$))[A-Za-z0-9._~-]+)+", stripped):
        raise ValueError("must be a path such as /game")
    return stripped


def network(value: str) -> str:
    """Check a network of IPv4 addresses."""
    try:
        found = ip_network(value)
    except ValueError:
        found = None
    if not isinstance(found, IPv4Network):
        raise ValueError("must be a network such as 10.244.0.0/16")
    if found.prefixlen < LARGEST_NETWORK:
        raise ValueError(f"must be no larger than a /{LARGEST_NETWORK}: it is what strangers may send to through TURN")
    return str(found)


def host(value: str) -> str:
    """Check a host name, as an Ingress takes it: no address."""
    labels = value.split(".")
    named = len(value) <= MAX_HOST_LENGTH and len(labels) > 1 and not labels[-1].isdecimal()
    if not named or not all(re.fullmatch(_LABEL, label) for label in labels):
        raise ValueError("must be a host name such as play.example.com")
    return value


def redis_url(value: str) -> str:
    """Check the URL of a Redis."""
    try:
        url = urlsplit(value)
        known = url.scheme in ("redis", "rediss", "redis+sentinel") and bool(url.hostname)
    except ValueError:  # brackets that are not closed
        known = False
    if not known or not _is_one_word(value):
        raise ValueError("must be a redis://, rediss:// or redis+sentinel:// address")
    return value


def users(value: str) -> str:
    """Check lines of htpasswd, with commas between."""
    try:
        named = read_users(value.split(","), "admin")
    except ValueError as error:
        raise ValueError(f"must be lines of htpasswd with commas between: {error}") from None
    if not named or not value.isprintable():
        raise ValueError("must be lines of htpasswd with commas between")
    return value


def secret(value: str) -> str:
    """Check a secret that strangers can try guesses against."""
    if len(value.encode("utf-8", "replace")) < MIN_SECRET_BYTES or not _is_one_word(value):
        raise ValueError(f"must have at least {MIN_SECRET_BYTES} bytes, and no spaces")
    return value


def _is_one_word(value: str) -> bool:
    """Tell whether a value is one word on one line: nothing of it can be read as another line of a file."""
    return value.isprintable() and " " not in value


_namespace = matching(_LABEL, "a name of small letters, digits and dashes")
_object = matching(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*", "a name of small letters, digits, dashes and dots")
_repo = matching(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*", "a registry and path")
_image = matching(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*", "an image's name")
_tag = matching(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", "an image's tag")
_any = matching(r"(?s).*", "anything")

NAMES: Final[dict[str, Name]] = {
    "NAMESPACE": Name("the namespace", _namespace, None),
    "REPO": Name("registry and path of our image", _repo, None),
    "REPO_SECRET": Name("Secret with which it is pulled", _object),
    "IMAGE_TAG": Name("its tag", _tag, VERSION),
    "UNREAL_REPO": Name("registry and path of the application's image; as REPO, when empty", _repo),
    "UNREAL_IMAGE_NAME": Name("name of the application's image", _image, None),
    "UNREAL_REPO_SECRET": Name("Secret with which it is pulled", _object),
    "UNREAL_IMAGE_TAG": Name("its tag", _tag, "latest"),
    "INGRESS_HOST": Name("the public host name", host, None),
    "INGRESS_PATH": Name("path below which all is served, such as /game", path),
    "INGRESS_CLASS": Name("class of the Ingress; the cluster's default, when empty", _object),
    "INGRESS_TLS_ISSUER": Name("issuer of cert-manager for the certificate; no TLS, when empty", _object),
    "INGRESS_TLS_ISSUER_KIND": Name("its kind", one_of("ClusterIssuer", "Issuer"), "ClusterIssuer"),
    "GATEWAY_CLASS": Name("GatewayClass, for the Gateway API in place of an Ingress", _object),
    "TRUSTED_PROXIES": Name(
        "proxies in front of the routers, the ingress among them, that append to X-Forwarded-For",
        matching(r"[0-9]|1[0-6]", "a number from 0 to 16"),
        "1",
    ),
    "TURN_USER": Name("is not used any more: each session gets a user of its own", _any),
    "TURN_PASS": Name("is not used any more", _any),
    "TURN_SECRET": Name("secret of the TURN servers; made, when empty", secret),
    "TURN_NODE_ADDRESS": Name("address of a node that players reach", one_of("external", "internal"), "external"),
    "POD_NETWORK": Name("network of the pods, to which TURN may relay", network, "10.244.0.0/16"),
    "PROXY_ENABLE": Name("let users call the applications' REST APIs", one_of("true", "false"), "false"),
    "PROXY_PATH_PREFIX": Name("path of that", one_of("/proxy"), "/proxy"),
    "PROXY_AUTH_USERS": Name("who may do that, and see the dashboard, as htpasswd has it", users),
    "DASHBOARD_ENABLE": Name("show the dashboard to those users", one_of("true", "false"), "false"),
    "GPU": Name(
        "what a stream gets: a GPU, a share of one, or a MIG slice",
        matching(r"limit|share|mig-[a-z0-9]+(\.[a-z0-9]+)*", "limit, share or a MIG profile such as mig-1g.5gb"),
        "limit",
    ),
    "AUTOSCALING": Name("what scales the streams", one_of("hpa", "keda", "none"), "hpa"),
    "STREAMS_MIN": Name("the fewest streams", count, "1"),
    "STREAMS_MAX": Name("the most", count, "10"),
    "STREAMS_WARM": Name("streams kept idle, for keda", count, "1"),
    "MONITORING": Name("how Prometheus finds the pods", one_of("annotations", "podmonitor"), "annotations"),
    "REDIS_URL": Name("a Redis of your own; ours, when empty", redis_url),
}


def parse(text: str) -> dict[str, str]:
    """Return the values of a `.env` file; raise ValuesError for lines that are none.

    A line is NAME=VALUE, with or without `export` before it and quotes round the value; `#` begins a comment, at
    the start of a line, or after a space behind a value without quotes.
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


def checked(given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return every value, from the file, the environment or by default; raise ValuesError with all that is wrong."""
    wrong = [f"{name}: there is no such name" for name in given if name not in NAMES]
    values: dict[str, str] = {}
    for name, known in NAMES.items():
        value = (given[name] if name in given else environ.get(name)) or known.default
        if value is None:
            wrong.append(f"{name}: is missing: {known.meaning}")
        elif value:
            try:
                values[name] = known.check(value)
            except ValueError as error:
                wrong.append(f"{name}: {error}")
        else:
            values[name] = ""
    wrong += _together(values)
    if wrong:
        raise ValuesError(wrong)
    values["UNREAL_REPO"] = values["UNREAL_REPO"] or values["REPO"]
    values["UNREAL_REPO_SECRET"] = values["UNREAL_REPO_SECRET"] or values["REPO_SECRET"]
    return values


def _together(values: Mapping[str, str]) -> list[str]:
    """Return what is wrong about values that must fit each other."""
    wrong = []
    wrong += [
        f"PROXY_AUTH_USERS: is missing: {door} lets users in, and there are none"
        for door in ("PROXY_ENABLE", "DASHBOARD_ENABLE")
        if values.get(door) == "true" and values.get("PROXY_AUTH_USERS") == ""
    ]
    least, most = values.get("STREAMS_MIN"), values.get("STREAMS_MAX")
    if least and most and (int(least) > int(most) or most == "0"):
        wrong.append("STREAMS_MAX: must be at least STREAMS_MIN, and 1")
    if least == "0" and values.get("AUTOSCALING") == "hpa":
        wrong.append("STREAMS_MIN: must be at least 1 with AUTOSCALING=hpa; to zero and back is for keda")
    return wrong


def _unquoted(value: str) -> str:
    if value[:1] in ("'", '"'):
        end = value.find(value[0], 1)
        if end > 0:
            return value[1:end]
    return re.split(r"\s+#|^#", value, maxsplit=1)[0].strip()
