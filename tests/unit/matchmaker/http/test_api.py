"""The API and its document tell of the same calls. What the calls do is tested with real sockets."""

import json
from typing import Any

import pytest
from aiohttp import web

from matchmaker.http.api import OPENAPI, Api
from matchmaker.http.events import Events
from matchmaker.http.fleet_reader import FleetReader
from matchmaker.http.reference_api import Rest
from matchmaker.settings import Settings
from pixelfleet.auth.identity import STRANGER, Identity
from pixelfleet.net.access import TokenGuard
from pixelfleet.net.http import add_health
from tests.unit.matchmaker.fleet import Store

DEFINITION: dict[str, Any] = json.loads(OPENAPI)
METHODS = ("get", "post", "put", "delete", "patch")


class AlwaysReady:
    def unready(self) -> str | None:
        return None


async def anybody(_: web.Request) -> Identity:
    return STRANGER


def calls(*, redirect: bool) -> set[tuple[str, str]]:
    """Return the method and path of everything that the player port answers."""
    app, store = web.Application(), Store().real
    reader = FleetReader(store)
    guard = TokenGuard(None, "--rest-token")
    api = Api(store, reader, Events(store, reader), guard, open_reads=False, proxies=0)
    api.add_to(app)
    Rest(store, reader, Settings(redirect=redirect), anybody, lambda: False).add_to(app, api.reads)
    add_health(app, AlwaysReady())
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }


async def test_the_document_tells_of_every_call_and_of_no_other() -> None:
    told = {(name.upper(), path) for path, all_of in DEFINITION["paths"].items() for name in all_of if name in METHODS}
    # `/healthz` is `/readyz` by its old name.
    assert told == calls(redirect=True) - {("GET", "/healthz")}
    assert told - calls(redirect=False) == {("GET", "/custom_html/{file}")}


@pytest.mark.parametrize("path", DEFINITION["paths"])
def test_every_call_says_what_it_is_for_what_it_takes_and_what_it_answers(path: str) -> None:
    for call in DEFINITION["paths"][path].values():
        assert call["summary"]
        assert {"200", "202", "302"} & set(call["responses"])
        named = {each["name"] for each in call.get("parameters", []) if each["in"] == "path"}
        assert named == {part.strip("{}") for part in path.split("/") if part.startswith("{")}
        if path.startswith("/api/v1/") and not path.endswith("openapi.json"):
            assert call["security"] == [{"bearer": []}]
            assert {"401", "403", "503"} <= set(call["responses"])


def test_every_call_has_a_name_of_its_own() -> None:
    names = [call["operationId"] for all_of in DEFINITION["paths"].values() for call in all_of.values()]
    assert len(set(names)) == len(names)


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return found.union(*(references(inner) for inner in value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_every_reference_in_the_document_leads_somewhere_and_every_schema_is_used() -> None:
    for reference in references(DEFINITION):
        at: Any = DEFINITION
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]
        assert at
    used = {each.removeprefix("#/components/schemas/") for each in references(DEFINITION) if "/schemas/" in each}
    assert used == set(DEFINITION["components"]["schemas"])
