"""The overlay of one installation, from its values. No I/O: what comes out is the files' text."""

import json
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Any, Final

Patch = dict[str, Any]

SECRET_KEYS: Final = ("session-key", "rest-token", "drain-token", "turn-secret", "redis-password")
"""What is made at random, once; a later run keeps what the overlay has."""

SECRETS_FILE: Final = "secrets.env"


def secrets_of(values: Mapping[str, str], known: Mapping[str, str], make: Callable[[], str]) -> dict[str, str]:
    """Return the keys of the Secret `pixelfleet`; those that are `known` stay as they are."""
    secrets = {key: known.get(key) or make() for key in SECRET_KEYS}
    if values["TURN_SECRET"]:
        secrets["turn-secret"] = values["TURN_SECRET"]
    secrets["redis-url"] = values["REDIS_URL"] or f"redis://:{secrets['redis-password']}@redis:6379/0"
    if values["PROXY_AUTH_USERS"]:
        secrets["users"] = values["PROXY_AUTH_USERS"]
    return secrets


def kustomization(values: Mapping[str, str], base: str) -> str:
    """Return the overlay's kustomization.yaml; `base` is the way from it to the folder of the manifests.

    It is YAML by being JSON, so that no value can be read as anything but itself.
    """
    whole = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": values["NAMESPACE"],
        "resources": [f"{base}/base"],
        "components": [f"{base}/components/{name}" for name in _components(values)],
        "images": _images(values),
        "configMapGenerator": _config(values),
        "secretGenerator": [{"name": "pixelfleet", "envs": [SECRETS_FILE]}],
        "patches": [{"target": target, "patch": json.dumps(patch), **more} for target, patch, more in _patches(values)],
    }
    return (
        "# Written by `pixelfleet configure`, which writes it anew each time.\n"
        + json.dumps(whole, indent=2, ensure_ascii=False)
        + "\n"
    )


def _components(values: Mapping[str, str]) -> list[str]:
    chosen = [_policy(values), "hpa-services"]
    if values["AUTOSCALING"] != "none":
        chosen.append(f"{values['AUTOSCALING']}-stream")
    if values["GPU"] != "limit":
        chosen.append("gpu-share" if values["GPU"] == "share" else "gpu-mig")
    if values["REDIS_URL"]:
        chosen.append("external-redis")
    if values["MONITORING"] == "podmonitor":
        chosen.append("pod-monitor")
    if values["PROXY_ENABLE"] == "true":
        chosen.append("rest-proxy")
    return [*chosen, "image-pull"]


def _policy(values: Mapping[str, str]) -> str:
    if not values["GATEWAY_CLASS"]:
        return "ingress"
    return "gateway-tls" if values["INGRESS_TLS_ISSUER"] else "gateway"


def _images(values: Mapping[str, str]) -> list[dict[str, str]]:
    unreal = f"{values['UNREAL_REPO']}/{values['UNREAL_IMAGE_NAME']}"
    return [
        {"name": "pixelfleet", "newName": f"{values['REPO']}/pixelfleet", "newTag": values["IMAGE_TAG"]},
        {"name": "unreal", "newName": unreal, "newTag": values["UNREAL_IMAGE_TAG"]},
    ]


def _config(values: Mapping[str, str]) -> list[dict[str, Any]]:
    pods = ip_network(values["POD_NETWORK"])
    changes = {
        "turn": {"STREAMERS_FIRST": str(pods[0]), "STREAMERS_LAST": str(pods[-1])},
        "turn-api": {"PIXELFLEET_TURN_API_NODE_ADDRESS": values["TURN_NODE_ADDRESS"]},
        "matchmaker": {"PIXELFLEET_MATCHMAKER_WARM": json.dumps({"default": int(values["STREAMS_WARM"])})},
        "router": _router(values),
    }
    return [
        {"name": name, "behavior": "merge", "literals": [f"{key}={value}" for key, value in literals.items()]}
        for name, literals in changes.items()
        if literals
    ]


def _router(values: Mapping[str, str]) -> dict[str, str]:
    settings = {"PIXELFLEET_ROUTER_TRUSTED_PROXIES": values["TRUSTED_PROXIES"]}
    if values["INGRESS_PATH"]:
        settings["PIXELFLEET_ROUTER_PATH_PREFIX"] = values["INGRESS_PATH"]
    for door in _opened(values):
        settings[f"PIXELFLEET_ROUTER_{door}_AUTH"] = "basic"
        settings["PIXELFLEET_ROUTER_USER_ROLE"] = "admin"
    return settings


def _opened(values: Mapping[str, str]) -> list[str]:
    """Return the router's doors that open for users."""
    return [door for door in ("PROXY", "DASHBOARD") if values[f"{door}_ENABLE"] == "true"]


def _patches(values: Mapping[str, str]) -> list[tuple[dict[str, str], list[Patch], dict[str, Any]]]:
    """Return targets with the changes to them."""
    binding = {"kind": "ClusterRoleBinding", "name": "pixelfleet-turn-api"}
    named = _replace("/metadata/name", f"pixelfleet-turn-api-{values['NAMESPACE']}")
    patches: list[tuple[dict[str, str], list[Patch], dict[str, Any]]] = [
        # It belongs to no namespace: its name says whose it is.
        (binding, [named], {"options": {"allowNameChange": True}}),
        *((target, patch, {}) for target, patch in _way_in(values)),
        *((target, patch, {}) for target, patch in _scaling(values)),
    ]
    pulled = [{"name": name} for name in dict.fromkeys((values["REPO_SECRET"], values["UNREAL_REPO_SECRET"])) if name]
    if pulled:
        patches.append(({"kind": "ServiceAccount"}, [_add("/imagePullSecrets", pulled)], {}))
    if _opened(values):
        container = "/spec/template/spec/containers/0"
        wanted = [("USERS", "users"), ("REST_TOKEN", "rest-token")]
        env = [
            {"name": f"PIXELFLEET_ROUTER_{name}", "valueFrom": {"secretKeyRef": {"name": "pixelfleet", "key": key}}}
            for name, key in wanted
        ]
        patches.append(({"kind": "Deployment", "name": "router"}, [_add(f"{container}/env", env)], {}))
    if values["GPU"].startswith("mig-"):
        limits = "/spec/template/spec/containers/0/resources/limits"
        swap = [
            {"op": "remove", "path": f"{limits}/nvidia.com~1mig-1g.5gb"},
            _add(f"{limits}/nvidia.com~1{values['GPU']}", 1),
        ]
        patches.append(({"kind": "Deployment", "name": "stream"}, swap, {}))
    return patches


def _way_in(values: Mapping[str, str]) -> list[tuple[dict[str, str], list[Patch]]]:
    host, issuer = values["INGRESS_HOST"], values["INGRESS_TLS_ISSUER"]
    annotation = "cluster-issuer" if values["INGRESS_TLS_ISSUER_KIND"] == "ClusterIssuer" else "issuer"
    issued = _add(f"/metadata/annotations/cert-manager.io~1{annotation}", issuer)
    prefix = values["INGRESS_PATH"] or "/"
    if values["GATEWAY_CLASS"]:
        gateway = [_replace("/spec/gatewayClassName", values["GATEWAY_CLASS"])]
        gateway += [_replace(f"/spec/listeners/{number}/hostname", host) for number in range(2 if issuer else 1)]
        if issuer:
            gateway += [_add("/metadata/annotations", {}), issued]
        return [
            ({"kind": "Gateway", "name": "pixelfleet"}, gateway),
            ({"kind": "HTTPRoute"}, [_replace("/spec/hostnames/0", host)]),
            ({"kind": "HTTPRoute", "name": "pixelfleet"}, [_replace("/spec/rules/0/matches/0/path/value", prefix)]),
        ]
    rule = "/spec/rules/0"
    ingress = [_replace(f"{rule}/host", host), _replace(f"{rule}/http/paths/0/path", prefix)]
    if values["INGRESS_CLASS"]:
        ingress.append(_add("/spec/ingressClassName", values["INGRESS_CLASS"]))
    if issuer:
        ingress += [_add("/spec/tls", [{"hosts": [host], "secretName": "pixelfleet-tls"}]), issued]
    return [({"kind": "Ingress", "name": "pixelfleet"}, ingress)]


def _scaling(values: Mapping[str, str]) -> list[tuple[dict[str, str], list[Patch]]]:
    least, most = int(values["STREAMS_MIN"]), int(values["STREAMS_MAX"])
    if values["AUTOSCALING"] == "hpa":
        patch = [_replace("/spec/minReplicas", least), _replace("/spec/maxReplicas", most)]
        return [({"kind": "HorizontalPodAutoscaler", "name": "stream"}, patch)]
    if values["AUTOSCALING"] == "keda":
        query = f'avg(pixelfleet_streams_wanted{{app="default",namespace="{values["NAMESPACE"]}"}})'
        patch = [
            _replace("/spec/minReplicaCount", least),
            _replace("/spec/maxReplicaCount", most),
            _replace("/spec/triggers/0/metadata/query", query),
        ]
        return [({"kind": "ScaledObject", "name": "stream"}, patch)]
    return [({"kind": "Deployment", "name": "stream"}, [_replace("/spec/replicas", least)])]


def _replace(path: str, value: object) -> Patch:
    return {"op": "replace", "path": path, "value": value}


def _add(path: str, value: object) -> Patch:
    return {"op": "add", "path": path, "value": value}
