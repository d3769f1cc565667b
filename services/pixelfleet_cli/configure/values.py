"""The values of an installation: names, defaults and validation. No I/O."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from pixelfleet.service.version import VERSION
from pixelfleet_cli.configure import checks
from pixelfleet_cli.configure.checks import Check, matching, one_of
from pixelfleet_cli.configure.turn import port, port_conflicts, relay_ports, turn_port


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


NAMES: Final[dict[str, Name]] = {
    "NAMESPACE": Name("namespace of the installation", checks.namespace, None),
    "REPO": Name("registry and path of the Pixelfleet image", checks.repository, None),
    "REPO_SECRET": Name("image pull secret for REPO", checks.object_name),
    "IMAGE_TAG": Name("tag of the Pixelfleet image", checks.tag, VERSION),
    "UNREAL_REPO": Name("registry and path of the application's image; REPO when empty", checks.repository),
    "UNREAL_IMAGE_NAME": Name("name of the application's image", checks.image_name, None),
    "UNREAL_REPO_SECRET": Name("image pull secret for UNREAL_REPO", checks.object_name),
    "UNREAL_IMAGE_TAG": Name("tag of the application's image", checks.tag, "latest"),
    "INGRESS_HOST": Name("public host name", checks.host, None),
    "INGRESS_PATH": Name("path prefix of all URLs, such as /game", checks.path),
    "INGRESS_CLASS": Name("class of the Ingress; the cluster's default when empty", checks.object_name),
    "INGRESS_TLS_ISSUER": Name("cert-manager issuer of the certificate; no TLS when empty", checks.object_name),
    "INGRESS_TLS_ISSUER_KIND": Name("kind of that issuer", one_of("ClusterIssuer", "Issuer"), "ClusterIssuer"),
    "GATEWAY_CLASS": Name("GatewayClass; uses the Gateway API in place of an Ingress", checks.object_name),
    "TRUSTED_PROXIES": Name(
        "proxies in front of the routers, the ingress among them, that append to X-Forwarded-For",
        matching(r"[0-9]|1[0-6]", "a number from 0 to 16"),
        "1",
    ),
    "TURN_USER": Name("is no longer used: each session has its own user", checks.anything),
    "TURN_PASS": Name("is no longer used", checks.anything),
    "TURN_SECRET": Name("secret of the TURN servers; generated when empty", checks.secret),
    "TURN_NODE_ADDRESS": Name("kind of node address that players reach", one_of("external", "internal"), "external"),
    "TURN_PORT": Name("port of the TURN servers on their nodes, for STUN and for TURN", turn_port, "3478"),
    "TURN_RELAY_PORTS": Name("ports of the TURN servers' relays", relay_ports, "49152-65535"),
    "TURN_METRICS_PORT": Name("port of the TURN servers' metrics", port, "9641"),
    "POD_NETWORK": Name("pod network, to which TURN may relay", checks.network, "10.244.0.0/16"),
    "PROXY_ENABLE": Name("allow users to call the applications' REST APIs", one_of("true", "false"), "false"),
    "PROXY_PATH_PREFIX": Name("path prefix of those REST APIs", one_of("/proxy"), "/proxy"),
    "PROXY_AUTH_USERS": Name("users of REST APIs and dashboard, as htpasswd lines", checks.users),
    "DASHBOARD_ENABLE": Name("allow those users to open the dashboard", one_of("true", "false"), "false"),
    "GPU": Name("GPU resources of a stream: a GPU, a share of one, or a MIG slice", checks.gpu, "limit"),
    "KUBERNETES": Name(
        "version of the cluster; asked of the cluster when empty",
        matching(r"1\.(29|[3-9][0-9])", "a version from 1.29, such as 1.35"),
    ),
    "AUTOSCALING": Name("autoscaler of the streams", one_of("hpa", "hpa-ratio", "keda", "none"), "hpa"),
    "STREAMS_MIN": Name("minimum number of streams", checks.count, "1"),
    "STREAMS_MAX": Name("maximum number of streams", checks.count, "10"),
    "STREAMS_WARM": Name("number of idle streams, for hpa and keda", checks.count, "1"),
    "MONITORING": Name("discovery of the pods by Prometheus", one_of("annotations", "podmonitor"), "annotations"),
    "REDIS_URL": Name("URL of an external Redis; the bundled one when empty", checks.redis_url),
    "IMAGE_DIGESTS": Name("ask the registry for the digest of each image", one_of("true", "false"), "false"),
    "APPS": Name("several applications, separated by commas", checks.words(checks.application)),
    "UNREAL_ARGS": Name("arguments of the application, quoted as in a shell", checks.arguments),
    "UNREAL_LABELS": Name("labels of the streamers, such as region=eu,version=1", checks.labels),
    "PLAYER_AUTH": Name("authentication of players", one_of("none", "jwt", "link"), "none"),
    "JWT_ISSUER": Name("OpenID Connect issuer of the players' tokens", checks.url),
    "JWT_AUDIENCE": Name("audiences of those tokens, separated by commas", checks.words(checks.word)),
    "LINK_KEY": Name("key of signed links; generated when empty", checks.link_key),
    "PLAYER_LABELS": Name("labels by which players may select streamers", checks.words(checks.word), "region,version"),
    "BRANDING": Name("folder with a branding.json and its pictures for the player page", checks.folder),
}

OF_AN_APPLICATION: Final[dict[str, tuple[Name, str]]] = {
    "IMAGE": (Name("image with its tag or digest", checks.image, None), ""),
    "ARGS": (NAMES["UNREAL_ARGS"], ""),
    "LABELS": (NAMES["UNREAL_LABELS"], ""),
    "GPU": (replace(NAMES["GPU"], default=""), "GPU"),
    "MIN": (replace(NAMES["STREAMS_MIN"], default=""), "STREAMS_MIN"),
    "MAX": (replace(NAMES["STREAMS_MAX"], default=""), "STREAMS_MAX"),
    "WARM": (replace(NAMES["STREAMS_WARM"], default=""), "STREAMS_WARM"),
    "CANARY_IMAGE": (Name("image of a new version, for a part of the streams", checks.image), ""),
    "CANARY_PERCENT": (Name("part of the streams that have the new version", checks.percent, "10"), ""),
}
"""The values of an application of APPS, without its prefix, and the name whose value is the default of each."""

ONLY_WITHOUT_APPS: Final = ("UNREAL_REPO", "UNREAL_IMAGE_NAME", "UNREAL_ARGS", "UNREAL_LABELS")


def prefix(application: str) -> str:
    """Return the prefix of an application's values: `GAME_` for `game`."""
    return application.upper().replace("-", "_") + "_"


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
    apps = _apps(file_values, environ)
    names = names_of(apps)
    inherited = {
        prefix(app) + key: default for app in apps for key, (_, default) in OF_AN_APPLICATION.items() if default
    }
    wrong = [f"{name}: is not a known name" for name in file_values if name not in names]
    values: dict[str, str] = {}
    for name, known in names.items():
        default = values.get(inherited[name], "") if name in inherited else known.default
        value = (file_values[name] if name in file_values else environ.get(name)) or default
        if value is None:
            wrong.append(f"{name}: is missing ({known.meaning})")
        elif value:
            try:
                values[name] = known.check(value)
            except ValueError as error:
                wrong.append(f"{name}: {error}")
        else:
            values[name] = ""
    wrong += _conflicts(values, apps)
    if wrong:
        raise ValuesError(wrong)
    values["UNREAL_REPO"] = values["UNREAL_REPO"] or values["REPO"]
    values["UNREAL_REPO_SECRET"] = values["UNREAL_REPO_SECRET"] or values["REPO_SECRET"]
    return values


def names_of(apps: Iterable[str]) -> dict[str, Name]:
    """Return all names of an installation with these applications; without one, the names of a single application."""
    own = {prefix(app) + key: name for app in apps for key, (name, _) in OF_AN_APPLICATION.items()}
    if not own:
        return NAMES
    return NAMES | {"UNREAL_IMAGE_NAME": Name(NAMES["UNREAL_IMAGE_NAME"].meaning, checks.image_name)} | own


def _apps(file_values: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    """Return the names of APPS; none if they are invalid, which is reported elsewhere."""
    value = file_values["APPS"] if "APPS" in file_values else environ.get("APPS", "")
    try:
        return NAMES["APPS"].check(value).split(",") if value else []
    except ValueError:
        return []


def _conflicts(values: Mapping[str, str], apps: list[str]) -> list[str]:
    """Return the errors of values that contradict each other."""
    wrong = port_conflicts(values)
    wrong += [
        f"PROXY_AUTH_USERS: is missing, and {name} requires users"
        for name in ("PROXY_ENABLE", "DASHBOARD_ENABLE")
        if values.get(name) == "true" and values.get("PROXY_AUTH_USERS") == ""
    ]
    if values.get("PLAYER_AUTH") == "jwt":
        wrong += [
            f"{name}: is missing, and PLAYER_AUTH=jwt requires it"
            for name in ("JWT_ISSUER", "JWT_AUDIENCE")
            if values.get(name) == ""
        ]
    if not apps:
        return wrong + _range(values, "STREAMS_MIN", "STREAMS_MAX")
    wrong += [f"{name}: has no effect beside APPS" for name in ONLY_WITHOUT_APPS if values.get(name)]
    if values.get("AUTOSCALING") == "hpa-ratio" and len(apps) > 1:
        wrong.append("AUTOSCALING: hpa-ratio follows all applications together; use hpa or keda with APPS")
    names = [prefix(app) for app in apps] + [f"{prefix(app)}CANARY_" for app in apps]
    wrong += [f"APPS: {name} begins the values of two applications" for name in {*names} if names.count(name) > 1]
    wrong += [
        f"APPS: {app} is the prefix of other names"
        for app in apps
        if any(prefix(app) + key in NAMES for key in OF_AN_APPLICATION)
    ]
    for app in apps:
        wrong += _range(values, f"{prefix(app)}MIN", f"{prefix(app)}MAX")
    return wrong


def _range(values: Mapping[str, str], least: str, most: str) -> list[str]:
    wrong = []
    minimum, maximum = values.get(least), values.get(most)
    if minimum and maximum and (int(minimum) > int(maximum) or maximum == "0"):
        wrong.append(f"{most}: must be at least {least} and at least 1")
    if minimum == "0" and values.get("AUTOSCALING", "").startswith("hpa"):
        wrong.append(f"{least}: must be at least 1 with AUTOSCALING={values['AUTOSCALING']}; keda scales to zero")
    return wrong


def _unquoted(value: str) -> str:
    if value[:1] in ("'", '"'):
        end = value.find(value[0], 1)
        if end > 0:
            return value[1:end]
    return re.split(r"\s+#|^#", value, maxsplit=1)[0].strip()
