"""The part of a Kubernetes API that kubectl or Helm needs to find, patch and delete the objects of one namespace."""

import json
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from tests.manifests.rendering import Object

RESOURCES: Final = {
    "/api/v1": {"secrets": "Secret", "configmaps": "ConfigMap", "pods": "Pod"},
    "/apis/apps/v1": {"deployments": "Deployment"},
    "/apis/autoscaling/v2": {"horizontalpodautoscalers": "HorizontalPodAutoscaler"},
}
VERBS: Final = ["create", "delete", "get", "list", "patch"]


class Api:
    """Objects by their path, and the requests that change them. A patch is recorded, and changes annotations only."""

    def __init__(self, objects: dict[str, Object]) -> None:
        self.objects = objects
        self.changes: list[tuple[str, str, Any]] = []

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.path
        if request.method == "GET":
            found = self._found(path)
            status = 200 if found else 503 if "metrics" in path else 404
            return web.json_response(found or {"kind": "Status", "apiVersion": "v1", "code": status}, status=status)
        body: Any = await request.json() if request.method != "DELETE" else None
        self.changes.append((request.method, path, body))
        if request.method == "DELETE":
            del self.objects[path]
            return web.json_response({"kind": "Status", "apiVersion": "v1", "status": "Success"})
        if request.method == "POST":
            self.objects[f"{path}/{body['metadata']['name']}"] = body
            return web.json_response(body, status=201)
        annotations = body.get("metadata", {}).get("annotations", {})
        self.objects[path]["metadata"]["annotations"] |= annotations
        return web.json_response(self.objects[path])

    def _found(self, path: str) -> Object | None:
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/version":
            return {"major": "1", "minor": "35", "gitVersion": "v1.35.0"}
        if path == "/apis":
            # The last one is an API of metrics, whose server is away.
            named = [
                _group(name, version) for name, version in (("apps", "v1"), ("autoscaling", "v2"), ("metrics", "v1"))
            ]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": named}
        if path in RESOURCES:
            kinds = [
                {"name": name, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": VERBS}
                for name, kind in RESOURCES[path].items()
            ]
            return {"kind": "APIResourceList", "groupVersion": _version(path), "resources": kinds}
        for base, kinds_of in RESOURCES.items():
            for name, kind in kinds_of.items():
                if path == f"{base}/namespaces/pixel/{name}":
                    items = [each for at, each in self.objects.items() if at.startswith(f"{path}/")]
                    return {"kind": f"{kind}List", "apiVersion": _version(base), "metadata": {}, "items": items}
        return self.objects.get(path)


def write_config(folder: Path, server: object) -> Path:
    """Write a file for KUBECONFIG that names this server; return its path."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": str(server)}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "users": [{"name": "test", "user": {}}],
        "current-context": "test",
    }
    path = folder / "config"
    path.write_text(json.dumps(config))
    return path


def _group(name: str, version: str) -> Object:
    served = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [served], "preferredVersion": served}


def _version(path: str) -> str:
    return path.removeprefix("/apis/").removeprefix("/api/")
