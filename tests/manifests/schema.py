"""Validates objects against the schemas of Kubernetes and of custom resources."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import jsonschema
from referencing import Registry, Resource

from tests.manifests.rendering import Object

OLDEST: Final = "1.29"
"""The first version of Kubernetes that supports native sidecars by default."""

NEWEST: Final = "1.37"

OF_OTHERS: Final = {"monitoring.coreos.com", "keda.sh", "gateway.networking.k8s.io", "cert-manager.io"}
"""API groups without schemas in Kubernetes; schemas/ has small ones, of the fields that the manifests use."""


def schema_problem(thing: Object, version: str) -> str | None:
    """Return the violation of an object's schema, or None."""
    try:
        _validator(thing["apiVersion"], thing["kind"], version).validate(thing)
    except jsonschema.ValidationError as error:
        return f"{thing['kind']}/{thing['metadata']['name']}: {'.'.join(map(str, error.path))}: {error.message}"
    except FileNotFoundError:
        return f"{thing['kind']}/{thing['metadata']['name']}: Kubernetes {version} has no {thing['apiVersion']}"
    return None


@cache
def _validator(api_version: str, kind: str, version: str) -> jsonschema.Draft202012Validator:
    group = api_version.partition("/")[0]
    if group in OF_OTHERS:
        own = Path(__file__).parent / "schemas" / f"{kind.lower()}.json"
        return jsonschema.Draft202012Validator(json.loads(own.read_text()))
    # apps/v1 is in ...-apps-v1.json, rbac.authorization.k8s.io/v1 in ...-rbac-v1.json.
    suffix = api_version.replace(group, group.partition(".")[0]).replace("/", "-")
    schema = _schema(f"{kind.lower()}-{suffix}.json", version)
    registry: Registry[Any] = Registry().with_resource("", Resource.from_contents(schema))
    return jsonschema.Draft202012Validator(schema, registry=_definitions(version) @ registry)


@cache
def _definitions(version: str) -> Resource[Any]:
    return Resource.from_contents(_schema("_definitions.json", version))


def _schema(name: str, version: str) -> Any:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    return json.loads((folder / name).read_text())
