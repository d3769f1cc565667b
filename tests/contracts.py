"""Checks every response of a service in the test process against the service's OpenAPI document."""

import copy
import functools
import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import jsonschema
from aiohttp import web
from jsonschema.exceptions import best_match

from pixelfleet.net.openapi import EVENT_STREAM, JSON, Contract

SERVICES = Path(__file__).parent.parent / "services"
CHECKED_IN: Mapping[str, Any] = {
    document["info"]["title"]: document
    for document in (json.loads(path.read_text(encoding="utf-8")) for path in SERVICES.rglob("openapi.json"))
}
"""The checked-in documents by title."""

ERROR = {
    "additionalProperties": False,
    "type": "object",
    "properties": {"error": {"type": "string"}},
    "required": ["error"],
}


def closed(schema: Any) -> Any:
    """Return the schema without additional properties, so that an undocumented field is an error."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(each) for name, each in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


class Document:
    """An OpenAPI document that validates responses."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = closed(copy.deepcopy(dict(document)))

    def problem_of(self, method: str, path: str, status: int, media: str, body: bytes | None) -> str | None:
        """Return the error of a response, or None. `body` is None for a streamed one."""
        operation = self.document["paths"].get(path, {}).get(method.lower())
        if operation is None:
            return "the operation is not documented"
        answer = operation["responses"].get(str(status))
        if answer is None:
            return f"status {status} is not documented"
        content = self._resolved(answer).get("content")
        if content is None:
            return "the document has no body for this status" if body and status < 300 else None
        if media not in content:
            return f"{media} is not documented for status {status}"
        return self._mismatch(content[media]["schema"], body) if media == JSON else None

    def problem_of_event(self, path: str, data: bytes) -> str | None:
        """Return the error of one chunk of an event stream, or None."""
        content = self.document["paths"][path]["get"]["responses"]["200"]["content"]
        found = re.fullmatch(rb"event: (\w+)\ndata: (.*)\n\n", data)
        if found is None:
            return None if re.fullmatch(rb"retry: \d+\n\n", data) else f"is not an event: {data[:100]!r}"
        schema = content[EVENT_STREAM]["x-events"].get(found[1].decode())
        if schema is None:
            return f"the event {found[1].decode()} is not documented"
        return self._mismatch(schema, found[2])

    def _resolved(self, answer: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in answer:
            return answer
        found: dict[str, Any] = self.document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        return found

    def _mismatch(self, schema: Any, body: bytes | None) -> str | None:
        return mismatch({**schema, "components": self.document["components"]}, body)


def mismatch(schema: Mapping[str, Any], body: bytes | None) -> str | None:
    """Return how a JSON text violates a schema, or None."""
    try:
        value = json.loads(body or b"")
    except ValueError:
        return f"is not JSON: {body!r}"
    error = best_match(jsonschema.Draft202012Validator(schema).iter_errors(value))
    return None if error is None else f"{error.json_path}: {error.message}"


class Watch:
    """Validates the responses of every app to which a contract is added, and collects the errors."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.answers = 0
        """The number of validated responses."""

    def over(self, add_to: Callable[..., None]) -> Callable[..., None]:
        """Return `Contract.add_to` with validation of each app's responses."""

        @functools.wraps(add_to)
        def watched(contract: Contract, app: web.Application, *arguments: Any, **options: Any) -> None:
            add_to(contract, app, *arguments, **options)
            # A document that is not checked in is validated against its own types.
            document = Document(CHECKED_IN.get(contract.title) or contract.document())
            prefix = options.get("prefix", "")

            async def judge(request: web.Request, response: web.StreamResponse) -> None:
                self._judge(document, prefix, request, response)

            app.on_response_prepare.append(judge)

        return watched

    def _judge(self, document: Document, prefix: str, request: web.Request, response: web.StreamResponse) -> None:
        method = "GET" if request.method == "HEAD" else request.method
        resource = request.match_info.route.resource
        path = resource.canonical.removeprefix(prefix) if resource is not None else None
        body = response.body if isinstance(response, web.Response) else None
        if method == "OPTIONS" or (path is not None and path not in document.document["paths"]):
            return  # a CORS preflight; a path of another contract of the same app, or a file
        self.answers += 1
        data = bytes(body) if isinstance(body, bytes | bytearray) else None
        if path is None or response.status == HTTPStatus.METHOD_NOT_ALLOWED:
            problem = mismatch(ERROR, data)
        else:
            problem = document.problem_of(method, path, response.status, response.content_type, data)
        if problem is not None:
            self.problems.append(f"{method} {request.path}, status {response.status}: {problem}")
        if path is not None and response.content_type == EVENT_STREAM:
            self._judge_events(document, path, response)

    def _judge_events(self, document: Document, path: str, response: web.StreamResponse) -> None:
        write = response.write

        async def judged(data: bytes) -> None:
            if (problem := document.problem_of_event(path, data)) is not None:
                self.problems.append(f"GET {path}: {problem}")
            await write(data)

        response.write = judged  # type: ignore[method-assign,assignment]  # each event as it is sent
