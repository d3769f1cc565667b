"""JSON patches of kustomize."""

from typing import Any

Patch = dict[str, Any]
"""One operation of a JSON patch."""

Patches = list[tuple[dict[str, str], list[Patch]]]
"""Targets, each with its operations."""


def replace(path: str, value: object) -> Patch:
    """Return an operation that replaces an existing value."""
    return {"op": "replace", "path": path, "value": value}


def add(path: str, value: object) -> Patch:
    """Return an operation that adds or replaces a value."""
    return {"op": "add", "path": path, "value": value}


def remove(path: str) -> Patch:
    """Return an operation that removes an existing value."""
    return {"op": "remove", "path": path}
