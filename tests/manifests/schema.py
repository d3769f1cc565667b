"""Whether an object has the shape that Kubernetes, or who else takes it, knows."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import kubernetes_validate

from tests.manifests.rendering import Object

OLDEST: Final = "1.29"
"""The first Kubernetes that runs native sidecars without being told to."""

NEWEST: Final = "1.37"

OF_OTHERS: Final = {"monitoring.coreos.com", "keda.sh", "gateway.networking.k8s.io", "cert-manager.io"}
"""API groups that Kubernetes has no schemas of; schemas/ has small ones, of the fields that we use."""


def schema_problem(thing: Object, version: str) -> str | None:
    """Return what is wrong with an object's shape, or None."""
    return _problem(json.dumps(thing, sort_keys=True), version)


@cache
def _problem(text: str, version: str) -> str | None:
    thing: Object = json.loads(text)
    try:
        if thing["apiVersion"].partition("/")[0] in OF_OTHERS:
            jsonschema.validate(thing, _own_schema(thing["kind"]))
        else:
            kubernetes_validate.validate(thing, version, strict=True)
    except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
        return f"{thing['kind']}/{thing['metadata']['name']}: {'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return str(error.message)
    return None


@cache
def _own_schema(kind: str) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = json.loads((Path(__file__).parent / "schemas" / f"{kind.lower()}.json").read_text())
    return schema
