"""Authentication and authorization of requests."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import aiohttp
import structlog
from aiohttp import web

from pixelfleet.auth import links, sign_in
from pixelfleet.auth.claims import ClaimRules
from pixelfleet.auth.credentials import Credentials, credentials_of
from pixelfleet.auth.htpasswd import Users
from pixelfleet.auth.identity import ANONYMOUS, AuthBackendError, Identity, InvalidCredentialsError
from pixelfleet.auth.invited import identity_of
from pixelfleet.auth.jwks import KeySet
from pixelfleet.auth.oidc import HttpFetch, Tokens
from pixelfleet.auth.policy import AccessPolicy
from pixelfleet.auth.reload import follow, users_of
from pixelfleet.auth.settings import AuthSettings
from pixelfleet.fleet.invites import INVITE, invite_key
from pixelfleet.fleet.store import StoreUnavailableError
from pixelfleet.net.access import client_address, origin_allowed
from pixelfleet.net.limits import client_key
from pixelfleet.net.request_head import Request
from pixelfleet.service.lifecycle import background

log = structlog.get_logger(__name__)

Redeem = Callable[[str, float], Awaitable[bool]]
"""Marks the link with this id as used until this unix time; returns False when it was used before."""

Enter = Callable[[Request], Awaitable[Identity]]
"""Returns the identity of a request, or raises an HTTPException."""

UseLink = Callable[[Identity], Awaitable[None]]
"""Redeems the identity's link if it is for a single use, or raises an HTTPException."""

REALM: Final = "pixelfleet"
LINK_USED: Final = "the link has been used"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class NoRoleError(web.HTTPForbidden):
    """The identity is known and lacks the role of the interface."""


@dataclass(slots=True)
class Guard:
    """Authenticates requests and checks their roles; raises aiohttp's 401, 403, or 503 for an unavailable backend."""

    origins: Sequence[str]
    """Origins whose pages may send ambient credentials (cookies and passwords). `*` has no effect here."""
    cookie: str = ""
    users: Users | None = None
    tokens: Tokens | None = None
    link_key: str = field(default="", repr=False)
    sign_in_key: bytes = field(default=b"", repr=False)
    """Verifies sign-ins; empty without the method `oidc`."""
    invite_key: bytes = field(default=b"", repr=False)
    redeem: Redeem | None = None
    """None in a service that forwards links to another one, which redeems them."""
    proxies: int = 0
    """The trusted last entries of X-Forwarded-For, for each client's share of password checks."""

    def credentials(self, request: Request) -> Credentials:
        """Return the credentials of a request, unverified."""
        cookies = request.cookies if self.cookie else {}
        return credentials_of(request.headers, cookies, request.query, self.cookie)

    def authorization(self, request: Request) -> str | None:
        """Return the `Authorization` header with which the next service can authenticate the request itself."""
        headers = request.headers
        if not self.cookie and "Authorization" not in headers and "Sec-WebSocket-Protocol" not in headers:
            return None  # the common case
        credentials = credentials_of(headers, request.cookies if self.cookie else {}, {}, self.cookie)
        if credentials.user is not None:
            return headers.get("Authorization")
        return f"Bearer {credentials.token}" if credentials.token else None

    def authenticates(self, policy: AccessPolicy) -> bool:
        """Return whether a policy has a method or accepts links, so that requests must be checked."""
        return policy.method != "none" or (policy.links and bool(self.link_key))

    async def check(self, policy: AccessPolicy, request: Request) -> Identity:
        """Return the identity of a request; raise HTTPUnauthorized, HTTPForbidden or HTTPServiceUnavailable.

        A single-use link or invite is valid until `redeem_link`. An invite replaces all other credentials.
        """
        if not self.authenticates(policy) and not (policy.links and INVITE in request.query):
            return ANONYMOUS
        credentials = self.credentials(request)
        try:
            identity = await self._authenticate(policy, credentials, request)
        except InvalidCredentialsError as error:
            log.info("authentication failed", policy=policy.name, why=str(error))
            raise _unauthorized("Basic" if policy.method == "basic" else "Bearer", str(error)) from None
        except AuthBackendError as error:
            raise _unavailable(policy.name, error) from None
        if credentials.ambient and identity.method in ("basic", "jwt", "oidc"):
            check_same_site(request, self.origins)
        if policy.role and policy.method != "none" and policy.role not in identity.roles:
            log.info("access denied", policy=policy.name, subject=identity.subject, why="role")
            raise NoRoleError(reason="your roles do not allow this")
        return identity

    async def _authenticate(self, policy: AccessPolicy, credentials: Credentials, request: Request) -> Identity:
        if policy.links and credentials.invite is not None:
            return identity_of(credentials.invite, self.invite_key)
        if policy.links and credentials.link is not None and self.link_key:
            return links.verify(credentials.link, self.link_key).identity
        match policy.method:
            case "none":
                return ANONYMOUS
            case "basic" if credentials.user is not None and self.users is not None:
                client = client_key(client_address(request.remote or "", request.headers, self.proxies))
                return await self.users.check(*credentials.user, client)
            case "jwt" if credentials.token is not None and self.tokens is not None:
                return await self.tokens.check(credentials.token)
            case "oidc" if credentials.token is not None:
                return await self._signed_in(credentials.token)
        raise InvalidCredentialsError(
            "a signed link is required" if policy.method == "link" else "authentication is required"
        )

    async def _signed_in(self, token: str) -> Identity:
        """Return the identity from a sign-in, or from a token of the issuer if those are accepted."""
        if (signed_in := sign_in.verify(token, self.sign_in_key)) is not None:
            return signed_in.identity
        if self.tokens is not None:
            return await self.tokens.check(token)
        raise InvalidCredentialsError("the sign-in is not valid")

    async def redeem_link(self, identity: Identity) -> None:
        """Mark a single-use link as used; raise HTTPUnauthorized for a used one, or HTTPServiceUnavailable.

        To be called when every other check of the admission has passed: a refused holder may use the link later.
        """
        if not identity.single_use_until or self.redeem is None:
            return
        try:
            first_use = await self.redeem(identity.link_id, identity.single_use_until)
        except StoreUnavailableError as error:
            raise _unavailable("links", error) from None
        if not first_use:
            log.info("authentication failed", policy="links", why=LINK_USED, subject=identity.subject)
            raise _unauthorized("Bearer", LINK_USED)


def claim_rules(settings: AuthSettings) -> ClaimRules:
    """Return which claims of a token count, by the settings."""
    return ClaimRules(
        required=settings.jwt_required,
        app=settings.jwt_app_claim,
        priority=settings.jwt_priority_claim,
        roles=settings.jwt_roles_claim,
        role_names=settings.jwt_role_names,
        tenant=settings.jwt_tenant_claim,
        sessions=settings.jwt_sessions_claim,
        minutes=settings.jwt_minutes_claim,
    )


def _unauthorized(scheme: str, why: str) -> web.HTTPUnauthorized:
    return web.HTTPUnauthorized(reason=why, headers={"WWW-Authenticate": f'{scheme} realm="{REALM}"'})


def _unavailable(policy: str, error: Exception) -> web.HTTPServiceUnavailable:
    log.warning("authentication backend unavailable", policy=policy, why=str(error))
    return web.HTTPServiceUnavailable(reason="authentication is temporarily unavailable")


def check_same_site(request: Request, origins: Collection[str]) -> None:
    """Raise HTTPForbidden for a cross-site request with ambient credentials.

    Browsers send `Origin` with each websocket request and each unsafe method. A request without it comes from a page of
    this origin, or not from a browser.
    """
    origin = request.headers.get("Origin")
    if origin is not None and not _same_origin(origin, request.host):
        if not origin_allowed(origin, [each for each in origins if each != "*"]):
            raise web.HTTPForbidden(reason="cross-site requests from this origin are not allowed")
    elif origin is None and request.method not in SAFE:
        site = request.headers.get("Sec-Fetch-Site", "none")
        if site not in ("same-origin", "none"):
            raise web.HTTPForbidden(reason="cross-site requests are not allowed")


def _same_origin(origin: str, host: str) -> bool:
    scheme, _, authority = origin.lower().partition("://")
    default_port = {"http": ":80", "https": ":443"}.get(scheme, "")
    return bool(default_port) and authority.removesuffix(default_port) == host.lower().removesuffix(default_port)


@asynccontextmanager
async def open_guard(
    settings: AuthSettings, *, origins: Sequence[str], redeem: Redeem | None, proxies: int = 0
) -> AsyncIterator[Guard]:
    """Yield a guard for the settings; raise UsageError when a method lacks its users, issuer or key."""
    settings.check_methods()
    methods = settings.methods()
    guard = Guard(
        origins,
        sign_in.COOKIE if "oidc" in methods else settings.jwt_cookie,
        link_key=settings.link_secret if settings.auth_enabled else "",
        invite_key=invite_key(settings.session_key.get_secret_value()) if settings.session_key else b"",
        redeem=redeem,
        proxies=proxies,
    )
    async with AsyncExitStack() as stack:
        if "basic" in methods:
            guard.users = Users(await asyncio.to_thread(users_of, settings), time.monotonic)
            if settings.users_file is not None:
                await stack.enter_async_context(background(follow(guard.users, partial(users_of, settings))))
        if "oidc" in methods and settings.session_key is not None:
            guard.sign_in_key = sign_in.sign_in_key(settings.session_key.get_secret_value())
        if settings.accepts_tokens:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            keys = KeySet(settings.jwt_issuer, settings.jwt_keys_url, HttpFetch(session), time.monotonic)
            guard.tokens = Tokens(
                settings.jwt_issuer, settings.jwt_audience, keys, claim_rules(settings), settings.jwt_leeway
            )
        yield guard
