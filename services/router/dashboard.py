"""Serves the dashboard, and samples the fleet's totals for its charts."""

import asyncio
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
import structlog
from aiohttp import web
from pydantic import SecretStr

from pixelfleet.auth.guard import NoRoleError
from pixelfleet.net.access import bearer_header
from pixelfleet.net.http import json_response
from pixelfleet.net.http_client import body_within
from pixelfleet.net.openapi import Answer, Contract, Error, Operation
from router.handlers import Handlers
from router.history import STEP_SECONDS, History, LastHour, Totals
from router.redirects import with_slash
from router.sign_in.pages import SignInPages
from router.sign_in.problems import Problem
from router.upstreams.matchmakers import Matchmakers

log = structlog.get_logger(__name__)

FILES: Final = Path(__file__).parent / "dashboard"
PAGE: Final = ".html"
"""The end of the names of files that a browser shows, from which it goes to sign in."""

HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
}
MAX_ANSWER_BYTES: Final = 1024 * 1024
ANSWER_SECONDS: Final = 5.0

HISTORY: Final = Contract(
    "Pixelfleet dashboard",
    "What the router itself serves to the dashboard.",
    (
        Operation(
            path="/dashboard/history",
            name="history",
            summary="The fleet in the last hour",
            answers={
                200: Answer("The samples", (LastHour,)),
                401: Answer("The operator is not authenticated", (Error,)),
                403: Answer("The operator is not allowed, or the dashboard is closed", (Error,)),
                429: Answer("Too many requests or failed logins from this address", (Error,)),
                503: Answer("Operators cannot be authenticated at the moment", (Error,)),
            },
        ),
    ),
)

_decode_totals = msgspec.json.Decoder(Totals).decode


class Dashboard:
    """The dashboard's files and its history."""

    def __init__(
        self,
        handlers: Handlers,
        matchmakers: Matchmakers,
        token: SecretStr | None,
        prefix: str,
        sign_in: SignInPages | None = None,
    ) -> None:
        """`sign_in` are the pages to which a browser goes that is not signed in."""
        self._handlers = handlers
        self._sign_in = sign_in if handlers.signs_in_at_dashboard else None
        self._matchmakers = matchmakers
        self._token = token
        self._prefix = prefix
        self._files: dict[str, Path] = {}
        self.history = History()

    async def add_to(self, app: web.Application) -> None:
        """Register the dashboard's routes. Only files that exist at this time are served."""
        self._files = {file.name: file for file in await asyncio.to_thread(lambda: sorted(FILES.iterdir()))}
        root = f"{self._prefix}/dashboard"
        app.router.add_get(root, self._redirect)
        app.router.add_get(f"{root}/", self._file)
        HISTORY.add_to(app, {"history": self._history}, prefix=self._prefix)
        app.router.add_get(f"{root}/{{name}}", self._file)

    async def run(self) -> None:
        """Take samples until cancelled; without a dashboard, return at once."""
        while self._handlers.has_dashboard:
            await self._sample()
            await asyncio.sleep(STEP_SECONDS)

    async def _redirect(self, request: web.Request) -> web.Response:
        raise with_slash(request)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("name") or "index.html"
        try:
            await self._handlers.enter_dashboard(request)
        except web.HTTPUnauthorized:
            if self._sign_in is None or not name.endswith(PAGE):
                raise
            return self._sign_in.to_sign_in(request)
        except NoRoleError:
            if self._sign_in is None or not name.endswith(PAGE):
                raise
            return self._sign_in.refused(request, Problem.ROLE)
        file = self._files.get(name)
        if file is None:
            raise web.HTTPNotFound(reason="no such file")
        return web.FileResponse(file, headers=HEADERS)

    async def _history(self, request: web.Request) -> web.Response:
        identity = await self._handlers.enter_dashboard(request)
        view = self.history.view(identity.subject, signed_in=identity.method == "oidc")
        return json_response(view, headers={"Cache-Control": "no-store"})

    async def _sample(self) -> None:
        await self._matchmakers.found.wait()
        headers = bearer_header(self._token)
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        for target in self._matchmakers.candidates():
            options = self._matchmakers.request_options(target, headers)
            url = f"{target.http_url}/api/v1/apps"
            try:
                async with self._matchmakers.session.get(url, timeout=timeout, **options) as answer:
                    body = await body_within(answer, MAX_ANSWER_BYTES) if answer.status == 200 else None
                if body is not None:
                    self.history.add(_decode_totals(body))
                    return
                log.debug("no totals from matchmaker", status=answer.status)
            except (aiohttp.ClientError, OSError, TimeoutError, msgspec.DecodeError, RecursionError) as error:
                log.debug("no totals from matchmaker", why=type(error).__name__)
