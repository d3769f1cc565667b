"""Routes and document come from one table of operations."""

import re
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from pydantic import SecretStr

from pixelfleet.net.access import TokenGuard
from pixelfleet.net.http import HEALTH, json_response
from pixelfleet.net.openapi import Access, Answer, Contract, Error, Operation, OperatorToken, Parameter
from pixelfleet_cli.contracts import CONTRACTS
from router.dashboard import HISTORY


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """A thing."""

    name: str


class Other(msgspec.Struct, frozen=True, kw_only=True):
    size: int


THINGS = Contract(
    "Things",
    "What there is.",
    (
        Operation(
            path="/things/{id}",
            name="thing",
            summary="One thing",
            parameters=(Parameter("id", "its name", where="path"), Parameter("size", "how big", int, default=1)),
            answers={200: Answer("It", (Thing, Other)), 404: Answer("None", (Error,), name="NotFound")},
            access=Access.READ,
        ),
        Operation(method="POST", path="/things", name="make", summary="Make one", answers={}, access=Access.CHANGE),
        Operation(path="/old{rest:.*}", name="old", summary="Old", answers={302: Answer("Away")}, head=False),
    ),
)


async def answer(_: web.Request) -> web.Response:
    return json_response(Thing(name="x"))


HANDLERS = dict.fromkeys(("thing", "make", "old"), answer)
TOKEN = OperatorToken(TokenGuard(SecretStr("t"), "--rest-token"), open_reads=True)


def routes(app: web.Application) -> set[tuple[str, str]]:
    return {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource is not None}


def test_each_operation_is_a_route() -> None:
    app = web.Application()
    THINGS.add_to(app, HANDLERS, TOKEN, prefix="/x")
    assert routes(app) == {
        ("GET", "/x/things/{id}"),
        ("HEAD", "/x/things/{id}"),
        ("POST", "/x/things"),
        ("GET", "/x/old{rest}"),
    }


def test_a_handler_without_an_operation_and_an_operation_without_a_handler_are_errors() -> None:
    with pytest.raises(ValueError, match="extra"):
        THINGS.add_to(web.Application(), {**HANDLERS, "extra": answer}, TOKEN)
    with pytest.raises(ValueError, match="old"):
        THINGS.add_to(web.Application(), {"thing": answer, "make": answer}, TOKEN)


def test_an_operation_that_needs_a_token_is_not_served_without_a_check() -> None:
    with pytest.raises(ValueError, match="thing"):
        THINGS.add_to(web.Application(), HANDLERS)


@pytest.mark.parametrize(
    ("open_reads", "given", "refused"),
    [
        (False, "", {Access.READ, Access.CHANGE}),
        (True, "", {Access.CHANGE}),
        (False, "Bearer t", set()),
        (True, "Bearer wrong", {Access.CHANGE}),
    ],
)
def test_the_access_of_an_operation_decides_whether_the_token_is_checked(
    open_reads: bool, given: str, refused: set[Access]
) -> None:
    token = OperatorToken(TokenGuard(SecretStr("t"), "--rest-token"), open_reads)
    request = make_mocked_request("GET", "/", headers={"Authorization": given})
    for access in Access:
        if access in refused:
            with pytest.raises(web.HTTPUnauthorized):
                token.check(request, access)
        else:
            token.check(request, access)


def test_the_document_describes_parameters_answers_and_the_token() -> None:
    document = THINGS.document()
    thing = document["paths"]["/things/{id}"]["get"]
    assert thing["parameters"] == [
        {"name": "id", "in": "path", "description": "its name", "schema": {"type": "string"}, "required": True},
        {"name": "size", "in": "query", "description": "how big", "schema": {"type": "integer", "default": 1}},
    ]
    assert thing["security"] == [{"bearer": []}]
    assert set(thing["responses"]) == {"200", "401", "403", "404"}
    assert thing["responses"]["200"]["content"]["application/json"]["schema"] == {
        "anyOf": [{"$ref": "#/components/schemas/Thing"}, {"$ref": "#/components/schemas/Other"}]
    }
    assert document["paths"]["/old{rest}"]["get"] == {
        "summary": "Old",
        "operationId": "old",
        "responses": {"302": {"description": "Away"}},
    }
    assert document["components"]["schemas"]["Thing"] == {
        "description": "A thing.",
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
    }


# -- the services' documents -------------------------------------------------------------------------

ALL = [HEALTH, HISTORY, *CONTRACTS.values()]


@pytest.mark.parametrize("contract", ALL, ids=lambda contract: contract.title)
def test_every_path_parameter_is_described_and_every_operation_has_a_name_of_its_own(contract: Contract) -> None:
    names = [operation.name for operation in contract.operations]
    assert len(set(names)) == len(names)
    for operation in contract.operations:
        named = {each.name for each in operation.parameters if each.where == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", operation.documented_path))


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return found.union(*(references(inner) for inner in value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("contract", ALL, ids=lambda contract: contract.title)
def test_every_reference_leads_somewhere_and_everything_shared_is_used(contract: Contract) -> None:
    document = contract.document()
    found = references(document)
    for kind in ("schemas", "responses"):
        used = {each.rpartition("/")[2] for each in found if each.startswith(f"#/components/{kind}/")}
        assert used == set(document["components"][kind])
