"""The validation of responses detects what a document does not describe; and routes are registered by contracts."""

import ast
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp import web

from pixelfleet.net.http import errors_as_json, json_response, plain_port
from pixelfleet.net.openapi import Answer, Contract, Error, Operation
from tests.contracts import Watch

SERVICES = Path(__file__).parents[2] / "services"


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    size: int | msgspec.UnsetType = msgspec.UNSET


class Renamed(msgspec.Struct, frozen=True, kw_only=True):
    title: str


class RenamedInPart(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    length: int


THINGS = Contract(
    "Things",
    "",
    (
        Operation(
            path="/thing", name="thing", summary="", answers={200: Answer("", (Thing,)), 302: Answer("Elsewhere")}
        ),
        Operation(path="/events", name="events", summary="", answers={200: Answer("", events={"thing": Thing})}),
    ),
)


def body(made: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(made), content_type="application/json")


@asynccontextmanager
async def served(
    answers: Watch, made: Callable[[], web.StreamResponse], events: tuple[bytes, ...] = ()
) -> AsyncIterator[aiohttp.ClientSession]:
    """Serve the contract with these handlers; `answers` is the watch of this test."""

    async def thing(_: web.Request) -> web.StreamResponse:
        return made()

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in events:
            await response.write(event)
        return response

    app = web.Application(middlewares=[errors_as_json])
    THINGS.add_to(app, {"thing": thing, "events": stream})
    async with (
        plain_port(app, host="127.0.0.1", port=0, option="--port") as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
    ):
        yield http


RIGHT = Thing(name="x")


ANSWERS: dict[str, tuple[Callable[[], web.StreamResponse], str | None]] = {
    "right": (lambda: json_response(RIGHT), None),
    "with-what-may-be-left-out": (lambda: json_response(Thing(name="x", size=1)), None),
    "redirect": (lambda: web.Response(status=302, headers={"Location": "/"}), None),
    "renamed": (lambda: json_response(Renamed(title="x")), "'name' is a required property"),
    "renamed-what-may-be-left-out": (lambda: json_response(RenamedInPart(name="x", length=1)), "length"),
    "wrong-type": (lambda: body({"name": 7}), "$.name"),
    "null": (lambda: body({"name": None}), "$.name"),
    "list": (lambda: body([]), "$"),
    "other-status": (lambda: json_response(RIGHT, status=201), "201"),
    "error": (lambda: json_response(Error(error="x"), status=404), "404"),
    "other-media": (lambda: web.Response(text="hello"), "text/plain"),
    "no-json": (lambda: web.Response(text="hello", content_type="application/json"), "is not JSON"),
}


@pytest.mark.parametrize(("made", "problem"), ANSWERS.values(), ids=ANSWERS)
async def test_an_undocumented_answer_is_reported(
    answers: Watch, made: Callable[[], web.StreamResponse], problem: str | None
) -> None:
    async with served(answers, made) as http, http.get("/thing", allow_redirects=False):
        pass
    assert answers.answers == 1
    found = [answers.problems.pop() for _ in range(len(answers.problems))]
    assert len(found) == (problem is not None)
    assert all(each.startswith("GET /thing, status") and str(problem) in each for each in found)


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (b"retry: 2000\n\n", None),
        (b'event: thing\ndata: {"name":"x"}\n\n', None),
        (b'event: thing\ndata: {"title":"x"}\n\n', "'name' is a required property"),
        (b'event: thing\ndata: {"name":7}\n\n', "$.name"),
        (b'event: other\ndata: {"name":"x"}\n\n', "other"),
        (b'data: {"name":"x"}\n\n', "is not an event"),
    ],
)
async def test_an_undocumented_event_is_reported(answers: Watch, event: bytes, problem: str | None) -> None:
    async with served(answers, lambda: json_response(RIGHT), (event,)) as http, http.get("/events") as answer:
        assert await answer.read() == event
    found = [answers.problems.pop() for _ in range(len(answers.problems))]
    assert len(found) == (problem is not None)
    assert all(str(problem) in each for each in found)


async def test_errors_of_unknown_paths_and_methods_are_validated(answers: Watch) -> None:
    async with served(answers, lambda: json_response(RIGHT)) as http:
        async with http.get("/nothing") as answer:
            assert answer.status == 404
        async with http.delete("/thing") as answer:
            assert answer.status == 405
    assert answers.answers == 2


FROM_CONTRACTS = [
    *(SERVICES / "matchmaker").rglob("*.py"),
    *(SERVICES / "turnapi").rglob("*.py"),
    *(each for each in (SERVICES / "signalserver").rglob("*.py") if each.name != "static_page.py"),
]


@pytest.mark.parametrize("module", FROM_CONTRACTS, ids=lambda module: module.relative_to(SERVICES).as_posix())
def test_routes_are_only_registered_by_contracts(module: Path) -> None:
    called = {node.attr for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Attribute)}
    assert not {name for name in called if name.startswith(("add_get", "add_post", "add_delete", "add_route"))}
