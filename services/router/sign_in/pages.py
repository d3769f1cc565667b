"""Serves signing in and out, and who is signed in."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
import structlog
from aiohttp import web

from pixelfleet.auth import sign_in
from pixelfleet.auth.claims import MAX_NAME_LENGTH, claim, identity_of
from pixelfleet.auth.guard import check_same_site, claim_rules
from pixelfleet.auth.identity import InvalidCredentialsError
from pixelfleet.auth.jwks import KeySet
from pixelfleet.auth.oidc import HttpFetch, Tokens
from pixelfleet.auth.sign_in import SignIn, SignInTooLongError
from pixelfleet.net.http import json_response
from router.caller import CALLER, Callers
from router.settings import Settings
from router.sign_in import flow
from router.sign_in.issuer import Issuer
from router.sign_in.problems import Problem, SignInFailedError, problem_page

log = structlog.get_logger(__name__)

NO_STORE: Final = {"Cache-Control": "no-store"}

NAME_CLAIMS: Final = ("name", "preferred_username", "email", "sub")
"""The first of these claims is the name that the page shows."""


class Session(msgspec.Struct, frozen=True, rename="camel"):
    """Whether a browser is signed in, as its page reads it."""

    signed_in: bool
    name: str = ""


class Out(msgspec.Struct, frozen=True):
    """Where a browser goes that has signed out here."""

    location: str


class SignInPages:
    """The handlers of `/sign-in`."""

    def __init__(self, settings: Settings, callers: Callers, issuer: Issuer) -> None:
        key = settings.session_key.get_secret_value() if settings.session_key else ""
        self._settings = settings
        self._callers = callers
        self._issuer = issuer
        self._key = sign_in.sign_in_key(key)
        self._flow_key = flow.flow_key(key)
        self._rules = claim_rules(settings)
        self._prefix = settings.path_prefix
        self._origin = settings.public_url
        self._callback = f"{settings.public_url}{settings.path_prefix}/sign-in/callback"
        self._secure = settings.public_url.startswith("https:")

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        root = f"{self._prefix}/sign-in"
        app.router.add_get(root, self._begin)
        app.router.add_get(f"{root}/callback", self._finish)
        app.router.add_get(f"{root}/session", self._session)
        app.router.add_post(f"{root}/out", self._out)

    def url(self, back: str) -> str:
        """Return the URL at which a sign-in begins that returns to a path of this router."""
        return f"{self._origin}{self._prefix}/sign-in?return={quote(back, safe='')}"

    def to_sign_in(self, request: web.Request) -> web.Response:
        """Return the redirect from a page that needs a sign-in."""
        return _redirect(self.url(flow.back_path(request.raw_path, self._prefix)))

    def refused(self, request: web.Request, problem: Problem) -> web.Response:
        """Return the page of a problem at a page that needs another account."""
        return problem_page(problem, self.url(flow.back_path(request.raw_path, self._prefix)))

    async def _begin(self, request: web.Request) -> web.StreamResponse:
        """Redirect a browser to the issuer."""
        back = flow.back_path(request.query.get("return", ""), self._prefix)
        try:
            metadata = await self._issuer.metadata()
        except SignInFailedError as error:
            return self._failed(error, back)
        begun = flow.begin(back)
        url = flow.authorization_url(
            metadata.authorization_endpoint,
            begun,
            self._flow_key,
            client_id=self._issuer.client_id,
            callback=self._callback,
            scopes=self._settings.oidc_scopes,
            again=self._signed_in(request) is not None,
        )
        response = _redirect(url)
        self._set(response, flow.COOKIE, flow.sign(begun, self._flow_key), flow.SECONDS, "/sign-in")
        return response

    async def _finish(self, request: web.Request) -> web.StreamResponse:
        """Take a browser back from the issuer, and sign it in."""
        back = f"{self._prefix}/"
        try:
            begun = flow.read(request.cookies.get(flow.COOKIE), self._flow_key)
            back = begun.back
            async with self._callers.login(request[CALLER]) as login:
                try:
                    value = await self._redeemed(request, begun)
                except SignInFailedError as error:
                    login.failed = error.problem is not Problem.UNAVAILABLE
                    raise
        except SignInFailedError as error:
            return self._failed(error, back)
        response = _redirect(f"{self._origin}{back}")
        self._set(response, sign_in.COOKIE, value, round(self._settings.oidc_seconds), "/")
        self._delete(response, flow.COOKIE, "/sign-in")
        return response

    async def _redeemed(self, request: web.Request, begun: flow.Flow) -> str:
        """Return the value of the cookie of a sign-in; raise SignInFailedError."""
        metadata, key = await self._issuer.metadata(), self._flow_key
        names_issuer = metadata.authorization_response_iss_parameter_supported
        code = flow.code_of(request.query, begun, key, issuer=self._issuer.url, names_issuer=names_issuer)
        claims = await self._issuer.redeem(
            code, verifier=begun.verifier(key), nonce=begun.nonce(key), callback=self._callback
        )
        try:
            identity = identity_of(claims, self._rules, "oidc")
            names = (claim(claims, each) for each in NAME_CLAIMS)
            name = next((each for each in names if isinstance(each, str) and each), "")[:MAX_NAME_LENGTH]
            value = sign_in.sign(sign_in.sign_in_of(identity, name), self._key, round(self._settings.oidc_seconds))
        except InvalidCredentialsError as error:
            raise SignInFailedError(Problem.ACCOUNT, str(error)) from None
        except SignInTooLongError as error:
            raise SignInFailedError(Problem.TOO_LONG, str(error)) from None
        log.info("signed in", subject=identity.subject)
        return value

    async def _session(self, request: web.Request) -> web.Response:
        """Answer whether a browser is signed in."""
        signed_in = self._signed_in(request)
        shown = Session(signed_in is not None, signed_in.name if signed_in is not None else "")
        return json_response(shown, headers=dict(NO_STORE))

    async def _out(self, request: web.Request) -> web.Response:
        """Sign a browser out here, and answer where it goes to be signed out at the issuer."""
        check_same_site(request, [])
        location = f"{self._prefix}/"
        try:
            metadata = await self._issuer.metadata()
        except SignInFailedError:
            pass  # then it is signed out here only
        else:
            if endpoint := metadata.end_session_endpoint:
                query = {"client_id": self._issuer.client_id, "post_logout_redirect_uri": self._origin + location}
                location = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"
        if (signed_in := self._signed_in(request)) is not None:
            log.info("signed out", subject=signed_in.subject)
        response = json_response(Out(location), headers=dict(NO_STORE))
        self._delete(response, sign_in.COOKIE, "/")
        return response

    def _signed_in(self, request: web.Request) -> SignIn | None:
        try:
            return sign_in.verify(request.cookies.get(sign_in.COOKIE, ""), self._key)
        except InvalidCredentialsError:
            return None

    def _failed(self, error: SignInFailedError, back: str) -> web.Response:
        log.info("sign-in failed", problem=error.problem.name.lower(), why=str(error))
        response = problem_page(error.problem, self.url(back))
        self._delete(response, flow.COOKIE, "/sign-in")
        return response

    def _set(self, response: web.StreamResponse, name: str, value: str, seconds: int, path: str) -> None:
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path=self._prefix + path,
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )

    def _delete(self, response: web.StreamResponse, name: str, path: str) -> None:
        response.del_cookie(name, path=self._prefix + path, secure=self._secure, httponly=True, samesite="Lax")


def _redirect(url: str) -> web.Response:
    """Return a redirect that can set cookies, which aiohttp drops from a raised one."""
    return web.Response(status=HTTPStatus.FOUND, headers={**NO_STORE, "Location": url})


@asynccontextmanager
async def open_sign_in(settings: Settings, callers: Callers) -> AsyncIterator[SignInPages | None]:
    """Yield the pages of signing in; None if no interface has the method `oidc`."""
    if not settings.signs_in:
        yield None
        return
    secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else ""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        fetch = HttpFetch(session)
        keys = KeySet(settings.jwt_issuer, settings.jwt_keys_url, fetch, time.monotonic)
        tokens = Tokens(
            settings.jwt_issuer, [settings.oidc_client_id], keys, claim_rules(settings), settings.jwt_leeway
        )
        issuer = Issuer(
            settings.jwt_issuer,
            settings.oidc_client_id,
            secret,
            session=session,
            fetch=fetch,
            tokens=tokens,
            clock=time.monotonic,
            leeway=settings.jwt_leeway,
        )
        yield SignInPages(settings, callers, issuer)
