"""One table of REST operations: routes are registered from it, and the OpenAPI document is generated from it.

A service declares a `Contract`. `Contract.add_to` demands a handler for each operation and an operation for each
handler, so a route cannot exist undocumented. `Contract.document` describes each answer by its msgspec type.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from pixelfleet.net.access import TokenGuard

JSON: Final = "application/json"
HTML: Final = "text/html"
EVENT_STREAM: Final = "text/event-stream"
TEXT: Final = {"type": "string"}
REFERENCE: Final = "#/components/schemas/{name}"


class Error(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not carried out."""

    error: str


class Access(Enum):
    """Whether an operation requires the operator's bearer token."""

    OPEN = "open"
    """No token is needed."""
    READ = "read"
    """The token is needed unless the service's reads are open."""
    CHANGE = "change"
    """The token is always needed."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation; `type` is any type that msgspec has a JSON schema for."""

    name: str
    description: str
    type: Any = str
    where: Literal["query", "path"] = "query"
    default: str | int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of an operation."""

    description: str
    types: tuple[Any, ...] = ()
    """The types of a JSON body: the body has one of them."""
    html: bool = False
    """Whether the body may be an HTML page."""
    events: Mapping[str, Any] = field(default_factory=dict)
    """For a stream of server-sent events: the data type of each event, by event name."""
    name: str = ""
    """The name of an answer that several operations share; the document lists it once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path."""

    method: Literal["GET", "POST", "DELETE"] = "GET"
    path: str
    """As aiohttp writes it: `/players/{id}`, or with a pattern `/health{rest:.*}`."""
    name: str
    """The operation id; also the key of the handler."""
    summary: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    answers: Mapping[int, Answer]
    access: Access = Access.OPEN
    head: bool = True
    """Whether a GET also answers HEAD requests."""
    deprecated: bool = False

    @property
    def documented_path(self) -> str:
        """The path without patterns."""
        return re.sub(r"\{(\w+):[^{}]*\}", r"{\1}", self.path)

    def all_answers(self) -> dict[int, Answer]:
        """Return the answers by status, with those of the token check."""
        if self.access is Access.OPEN:
            return dict(self.answers)
        return {**self.answers, 401: UNAUTHORIZED, 403: CLOSED}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request that the service sends to a URL of its settings: a webhook."""

    name: str
    summary: str
    description: str
    body: Any
    """The type of the JSON body."""
    answer: Any
    """The type of the JSON body of an answer with status 200."""


UNAUTHORIZED: Final = Answer("The bearer token is missing or wrong", (Error,), name="Unauthorized")
CLOSED: Final = Answer(
    "No token is configured: the operation is closed until --rest-token is set", (Error,), name="Closed"
)


@dataclass(frozen=True, slots=True)
class OperatorToken:
    """Checks the operator's token as an operation's access demands."""

    guard: TokenGuard
    open_reads: bool
    """Whether operations with `Access.READ` need no token."""

    def check(self, request: web.Request, access: Access) -> None:
        """Raise HTTPForbidden or HTTPUnauthorized for a request without the right token."""
        if access is Access.CHANGE or (access is Access.READ and not self.open_reads):
            self.guard.check(request)


@dataclass(frozen=True, slots=True)
class Contract:
    """The REST interface of one service."""

    title: str
    description: str
    operations: tuple[Operation, ...]
    webhooks: tuple[Outgoing, ...] = ()

    def add_to(
        self,
        app: web.Application,
        handlers: Mapping[str, Handler],
        token: OperatorToken | None = None,
        prefix: str = "",
    ) -> None:
        """Register a route below `prefix` for each operation.

        Raises ValueError when a handler or an operation has no counterpart, or a token check is missing.
        """
        if unmatched := handlers.keys() ^ {operation.name for operation in self.operations}:
            raise ValueError(f"operation without handler or handler without operation: {', '.join(sorted(unmatched))}")
        for operation in self.operations:
            handler = handlers[operation.name]
            if operation.access is not Access.OPEN:
                if token is None:
                    raise ValueError(f"{operation.name}: no token check is given")
                handler = _checked(handler, token, operation.access)
            path = prefix + operation.path
            if operation.method == "GET":
                app.router.add_get(path, handler, allow_head=operation.head)
            else:
                app.router.add_route(operation.method, path, handler)

    def document(self) -> dict[str, Any]:
        """Return the OpenAPI 3.1 document."""
        types = list(dict.fromkeys(self._types()))
        schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
        schema_of = dict(zip(types, schemas, strict=True))
        for component in components.values():
            component.pop("title", None)  # msgspec repeats the name
        paths: dict[str, Any] = {}
        shared: dict[str, Any] = {}
        for operation in self.operations:
            answers = operation.all_answers()
            shared |= {each.name: _answer(each, schema_of) for each in answers.values() if each.name}
            path = paths.setdefault(operation.documented_path, {})
            path[operation.method.lower()] = _operation(operation, answers, schema_of)
        webhooks = {"webhooks": {each.name: _webhook(each, schema_of) for each in self.webhooks}}
        return {
            "openapi": "3.1.0",
            "info": {"title": self.title, "version": "1", "description": self.description},
            "paths": paths,
            **(webhooks if self.webhooks else {}),
            "components": {
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
                "responses": shared,
                "schemas": components,
            },
        }

    def _types(self) -> Iterator[Any]:
        for operation in self.operations:
            yield from (each.type for each in operation.parameters)
            for answer in operation.all_answers().values():
                yield from answer.types
                yield from answer.events.values()
        for webhook in self.webhooks:
            yield from (webhook.body, webhook.answer)


def _checked(handler: Handler, token: OperatorToken, access: Access) -> Handler:
    async def checked(request: web.Request) -> web.StreamResponse:
        token.check(request, access)
        return await handler(request)

    return checked


def _operation(operation: Operation, answers: Mapping[int, Answer], schema_of: Mapping[Any, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {"summary": operation.summary, "operationId": operation.name}
    if operation.description:
        document["description"] = operation.description
    if operation.deprecated:
        document["deprecated"] = True
    if operation.access is not Access.OPEN:
        document["security"] = [{"bearer": []}]
    if operation.parameters:
        document["parameters"] = [_parameter(each, schema_of) for each in operation.parameters]
    document["responses"] = {
        str(status): {"$ref": f"#/components/responses/{each.name}"} if each.name else _answer(each, schema_of)
        for status, each in sorted(answers.items())
    }
    return document


def _webhook(webhook: Outgoing, schema_of: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "post": {
            "summary": webhook.summary,
            "operationId": webhook.name,
            "description": webhook.description,
            "requestBody": {"required": True, "content": {JSON: {"schema": schema_of[webhook.body]}}},
            "responses": {"200": {"description": "Received", "content": {JSON: {"schema": schema_of[webhook.answer]}}}},
        }
    }


def _parameter(parameter: Parameter, schema_of: Mapping[Any, Any]) -> dict[str, Any]:
    schema = dict(schema_of[parameter.type])
    if parameter.default is not None:
        schema["default"] = parameter.default
    document = {"name": parameter.name, "in": parameter.where, "description": parameter.description, "schema": schema}
    return {**document, "required": True} if parameter.where == "path" else document


def _answer(answer: Answer, schema_of: Mapping[Any, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if answer.types:
        schemas = [schema_of[each] for each in answer.types]
        content[JSON] = {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}
    if answer.html:
        content[HTML] = {"schema": TEXT}
    if answer.events:
        events = {name: schema_of[each] for name, each in answer.events.items()}
        content[EVENT_STREAM] = {"schema": TEXT, "x-events": events}
    document: dict[str, Any] = {"description": answer.description}
    return {**document, "content": content} if content else document
