"""The API and its document tell of the same calls. What the calls do is tested with real sockets."""

import json
from typing import Any, cast

import pytest
from aiohttp import web

from pixelfleet.net.access import TokenGuard
from pixelfleet.net.http import add_health
from pixelfleet.service.lifecycle import Tasks
from signalserver.drain import Drain
from signalserver.hub import Hub
from signalserver.rest import OPENAPI, Rest

DEFINITION: dict[str, Any] = json.loads(OPENAPI)


class AlwaysReady:
    def unready(self) -> str | None:
        return None


def calls() -> set[tuple[str, str]]:
    """Return the method and path of everything that the player port answers."""
    app = web.Application()
    rest = Rest(
        hub=cast("Hub", None),
        drain=cast("Drain", None),
        tasks=Tasks(),
        guard=TokenGuard(None, "--rest-token"),
        open_reads=False,
        config={},
        started=0.0,
    )
    rest.add_to(app)
    add_health(app, AlwaysReady())
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }


def test_the_document_tells_of_every_call_and_of_no_other() -> None:
    told = {
        (method.upper(), path)
        for path, methods in DEFINITION["paths"].items()
        for method in methods
        if method in ("get", "post", "put", "delete", "patch")
    }
    # `/healthz` is `/readyz` by its old name.
    assert told == calls() - {("GET", "/healthz")}


@pytest.mark.parametrize("path", DEFINITION["paths"])
def test_every_call_says_what_it_is_for_and_what_it_answers(path: str) -> None:
    for method, call in DEFINITION["paths"][path].items():
        if method == "parameters":
            continue
        assert call["summary"]
        assert "200" in call["responses"] or "202" in call["responses"]


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return found.union(*(references(inner) for inner in value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_every_reference_in_the_document_leads_somewhere() -> None:
    assert references(DEFINITION)
    for reference in references(DEFINITION):
        at: Any = DEFINITION
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]
        assert at
