"""The exchange of a code at issuers that answer in unexpected ways."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from pixelfleet.auth.claims import ClaimRules
from pixelfleet.auth.jwks import MAX_DOCUMENT_BYTES, KeySet
from pixelfleet.auth.oidc import HttpFetch, Tokens
from pixelfleet.net.ports import plain_port
from router.sign_in.issuer import FRESH_SECONDS, GAP_SECONDS, KEPT_SECONDS, Issuer
from router.sign_in.problems import Problem, SignInFailedError
from tests.unit.pixelfleet.auth import keys


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Server:
    """An issuer that answers with what a test puts here."""

    port: int = 0
    discovery: dict[str, Any] | bytes = field(default_factory=dict)
    keys: bytes = b""
    status: int = 200
    answer: bytes = b"{}"
    discoveries: int = 0
    posted: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    """Headers and fields of each request for a token."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/jwks", self._jwks)
        app.router.add_post("/token", self._token)
        return app

    def document(self, **other: Any) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/auth",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            **other,
        }

    def token(self, **other: Any) -> str:
        return keys.token({**keys.claims(iss=self.url, aud="me", nonce="n"), **other})

    async def _discovery(self, _: web.Request) -> web.Response:
        self.discoveries += 1
        body = self.discovery if isinstance(self.discovery, bytes) else orjson.dumps(self.discovery)
        return web.Response(body=body)

    async def _jwks(self, _: web.Request) -> web.Response:
        return web.Response(body=self.keys)

    async def _token(self, request: web.Request) -> web.Response:
        self.posted.append((dict(request.headers), dict(await request.post())))
        return web.Response(status=self.status, body=self.answer)


@asynccontextmanager
async def serving(clock: Clock, secret: str = "") -> AsyncIterator[tuple[Server, Issuer]]:
    server = Server(keys=keys.jwks())
    async with (
        plain_port(server.app(), host="127.0.0.1", port=0, option="--port") as server.port,
        aiohttp.ClientSession() as session,
    ):
        server.discovery = server.document()
        server.answer = orjson.dumps({"id_token": server.token()})
        fetch = HttpFetch(session)
        tokens = Tokens(server.url, ["me"], KeySet(server.url, "", fetch, clock), ClaimRules(), 30)
        issuer = Issuer(server.url, "me", secret, session=session, fetch=fetch, tokens=tokens, clock=clock, leeway=30)
        yield server, issuer


async def redeem(issuer: Issuer) -> Problem | str:
    """Redeem a code; return the subject, or the problem."""
    try:
        claims = await issuer.redeem("c", verifier="v", nonce="n", callback="http://play.test/sign-in/callback")
    except SignInFailedError as error:
        return error.problem
    subject: str = claims["sub"]
    return subject


async def metadata(issuer: Issuer) -> Problem | None:
    try:
        await issuer.metadata()
    except SignInFailedError as error:
        return error.problem
    return None


async def test_a_code_gives_the_claims_of_the_id_token() -> None:
    async with serving(Clock(), "50% & more") as (server, issuer):
        assert await redeem(issuer) == "ada"
        headers, fields = server.posted[0]
        assert headers["Authorization"] == aiohttp.encode_basic_auth("me", "50%25+%26+more")
        assert fields == {
            "grant_type": "authorization_code",
            "redirect_uri": "http://play.test/sign-in/callback",
            "code": "c",
            "code_verifier": "v",
        }


async def test_a_client_authenticates_as_the_issuer_requires() -> None:
    async with serving(Clock(), "secret") as (server, issuer):
        server.discovery = server.document(token_endpoint_auth_methods_supported=["client_secret_post"])
        assert await redeem(issuer) == "ada"
        assert server.posted[0][1]["client_secret"] == "secret"
    async with serving(Clock()) as (server, issuer):
        assert await redeem(issuer) == "ada"
        assert server.posted[0][1]["client_id"] == "me", "a public client"


async def test_an_id_token_must_be_for_this_flow_and_this_client() -> None:
    async with serving(Clock()) as (server, issuer):
        now = int(time.time())
        wrong: dict[str, str] = {
            "another nonce": server.token(nonce="other"),
            "no nonce": keys.token(keys.claims(iss=server.url, aud="me")),
            "another audience": server.token(aud="other"),
            "another issuer": server.token(iss="http://evil.test"),
            "several audiences without a party": server.token(aud=["me", "other"]),
            "another party": server.token(azp="other"),
            "expired": server.token(iat=now - 100, exp=now - 31),
            "of the future": server.token(iat=now + 600),
            "another access token": server.token(at_hash="x"),
            "no signature": keys.token(keys.claims(iss=server.url, aud="me", nonce="n"), key="", algorithm="none"),
            "an unknown key": keys.token(keys.claims(iss=server.url, aud="me", nonce="n"), key=keys.private_key("two")),
            "no token": "x",
        }
        for name, token in wrong.items():
            server.answer = orjson.dumps({"id_token": token, "access_token": "a"})
            assert await redeem(issuer) is Problem.ANSWER, name
        server.answer = orjson.dumps({"id_token": server.token(iat=now + 20, exp=now - 20)})
        assert await redeem(issuer) == "ada", "clocks may differ by the leeway"


@pytest.mark.parametrize(
    ("status", "answer", "problem"),
    [
        (400, b'{"error": "invalid_grant"}', Problem.ANSWER),
        (401, b"<html>", Problem.ANSWER),
        (302, b"", Problem.ANSWER),
        (200, b"{}", Problem.ANSWER),
        (200, b"[" * 50000, Problem.ANSWER),
        (200, b'{"id_token": "' + b"x" * 100000 + b'"}', Problem.ANSWER),
        (503, b"", Problem.UNAVAILABLE),
    ],
)
async def test_an_unusable_answer_is_a_problem(status: int, answer: bytes, problem: Problem) -> None:
    async with serving(Clock()) as (server, issuer):
        server.status, server.answer = status, answer
        assert await redeem(issuer) is problem


async def test_a_huge_or_unreadable_set_of_keys_is_a_problem() -> None:
    for body in (b"{" + b" " * MAX_DOCUMENT_BYTES + b"}", b"<html>", b"{}"):
        async with serving(Clock()) as (server, issuer):
            server.keys = body
            assert await redeem(issuer) is Problem.UNAVAILABLE


async def test_a_key_that_the_issuer_has_exchanged_is_fetched() -> None:
    clock = Clock()
    async with serving(clock) as (server, issuer):
        assert await redeem(issuer) == "ada"
        clock.now += 11
        server.keys = keys.jwks("two")
        server.answer = orjson.dumps(
            {"id_token": keys.token(keys.claims(iss=server.url, aud="me", nonce="n"), kid="two")}
        )
        assert await redeem(issuer) == "ada"


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://evil.test"},
        {"token_endpoint": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"end_session_endpoint": "//evil.test"},
        {"token_endpoint": 7},
    ],
)
async def test_an_unusable_discovery_document_is_a_problem(wrong: dict[str, Any]) -> None:
    async with serving(Clock()) as (server, issuer):
        server.discovery = server.document(**wrong)
        assert await metadata(issuer) is Problem.UNAVAILABLE


async def test_a_discovery_document_is_kept_while_the_issuer_is_down() -> None:
    clock = Clock()
    async with serving(clock) as (server, issuer):
        assert await metadata(issuer) is None
        server.discovery = b"x" * (MAX_DOCUMENT_BYTES + 1)
        clock.now += FRESH_SECONDS + 1
        assert await metadata(issuer) is None
        assert await metadata(issuer) is None
        assert server.discoveries == 2, "a failed fetch is not repeated at once"
        clock.now += GAP_SECONDS + 1
        assert await metadata(issuer) is None
        assert server.discoveries == 3
        clock.now += KEPT_SECONDS
        assert await metadata(issuer) is Problem.UNAVAILABLE
