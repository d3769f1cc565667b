"""Settings of the router."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from pixelfleet.auth.identity import AuthMethod
from pixelfleet.auth.policy import AccessPolicy
from pixelfleet.service.values import (
    Bytes,
    Directory,
    File,
    Name,
    Origin,
    Placeholder,
    Port,
    Role,
    Seconds,
    Url,
    UrlPath,
)
from router.sign_in.settings import SignInSettings

PAGE = Path(__file__).parent / "page"
Lock = Literal["closed", "open", "basic", "jwt", "oidc"]


class Settings(SignInSettings):
    """The router is the public entry point: it serves the page and connects players to matchmakers and streamers.

    It also serves the dashboard and forwards calls to the REST APIs of matchmakers and streamers.
    """

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_ROUTER_")
    command: ClassVar[str] = "router"
    sections: ClassVar[Mapping[str, str]] = {
        "port": "Addresses and ports",
        "matchmaker": "Matchmakers",
        "tls_key": "TLS and proxies",
        "page": "Player page",
        "proxy_auth": "Access of operators",
        "proxy_body_bytes": "Limits",
        "drain_seconds": "Shutdown",
    }

    port: Port = Field(8080, description="Players and operators connect to this port.")
    metrics_port: Port = Field(8900, description="Prometheus reads metrics on this port.")
    path_prefix: UrlPath = Field("", description="All paths but those of health are below this one, such as /game.")

    matchmaker: list[Url] = Field(
        default=["ws://127.0.0.1:3000"],
        min_length=1,
        description="Players are forwarded to these matchmakers. A host name with several addresses is several "
        "matchmakers.",
    )
    matchmaker_ca: File | None = Field(
        None, description="This CA (PEM) verifies matchmakers that are reached over TLS."
    )
    rest_token: Annotated[SecretStr, Placeholder("TOKEN")] | None = Field(
        None, description="The dashboard and /proxy use this token at the matchmakers; it is their --rest-token."
    )

    tls_key: File | None = Field(
        None, description="This private key (PEM) belongs to the certificate. With both, the public port uses TLS."
    )
    tls_cert: File | None = Field(None, description="This file holds the certificate chain (PEM).")
    trusted_proxies: int = Field(
        0, ge=0, le=16, description="The router trusts this many of the last entries of X-Forwarded-For."
    )
    origins: list[Origin] = Field(
        default=["*"], description="Pages of these origins may connect and call; * is any origin."
    )

    page: Directory = Field(PAGE, description="The router serves the built player page from this directory.")
    branding: Directory | None = Field(
        None, description="This directory has a branding.json and its pictures, which replace those of the page."
    )
    parents: list[Origin] = Field(
        default=[], description="Pages of these origins may exchange messages with the player page in their frame."
    )
    functions: list[Name] = Field(
        default=[], description="Those pages may call these functions with messages of the legacy protocol."
    )
    signalling_hosts: list[Name] = Field(
        default=[], description="A link may make the page dial these hosts, with ?_ws= in its query."
    )
    frame_ancestors: list[Origin] = Field(
        default=["*"], description="Pages of these origins may embed the player page in a frame; * is any origin."
    )

    proxy_auth: Lock | None = Field(
        None,
        description="Authentication of callers of /proxy. The default is --auth where that is basic, jwt or oidc, "
        "else closed.",
    )
    api_auth: Lock | None = Field(
        None,
        description="Authentication of callers of /api. The default is --auth where that is basic, jwt or oidc; "
        "else the matchmaker checks its own token.",
    )
    dashboard_auth: Lock | None = Field(
        None,
        description="Authentication of users of /dashboard. The default is --auth where that is basic, jwt or "
        "oidc, else closed.",
    )
    dashboard_hosts: list[Name] = Field(
        default=[],
        description="The dashboard is served only under these host names, against DNS rebinding. Without names, it is "
        "served under any.",
    )
    proxy_role: Role = Field("admin", description="Callers of /proxy need this role; an empty one is any role.")
    api_role: Role = Field("admin", description="Callers of /api need this role; an empty one is any role.")
    dashboard_role: Role = Field("admin", description="Users of /dashboard need this role; an empty one is any role.")

    proxy_body_bytes: Bytes = Field(
        1048576, ge=0, description="A body larger than this at /proxy or /api is refused with HTTP 413."
    )
    proxy_seconds: Seconds = Field(
        30.0, gt=0, description="A call over /proxy that takes longer than this ends with HTTP 504."
    )
    proxies_at_once: int = Field(
        256,
        ge=1,
        description="More simultaneous calls over /proxy and /api than this are refused with HTTP 503, and more "
        "than a quarter of this from one address with HTTP 429.",
    )
    early_bytes: Bytes = Field(
        16777216,
        ge=0,
        description="Messages that players send before they have a matchmaker take at most this many bytes in total, "
        "beyond 1 KiB each. A player that exceeds this is closed with code 4104.",
    )
    max_players: int = Field(
        0, ge=0, description="More simultaneous players than this are refused with HTTP 503; 0 is no limit."
    )
    connections_per_address: int = Field(
        256,
        ge=0,
        description="More simultaneous players from one address than this are refused with HTTP 429; 0 is no limit.",
    )
    joins_per_minute: float = Field(
        300,
        ge=0,
        description="More new players per minute from one address than this are refused with HTTP 429; 0 is no limit.",
    )
    logins_per_minute: float = Field(
        30,
        ge=0,
        description="More failed logins per minute from one address than this are refused with HTTP 429; 0 is "
        "no limit.",
    )
    requests_per_second: float = Field(
        100,
        ge=0,
        description="More HTTP requests per second from one address than this are refused with HTTP 429, after "
        "a burst of 5 "
        "seconds; 0 is no limit.",
    )

    drain_seconds: Seconds = Field(30.0, ge=0, description="Connected players may stay for this time after SIGTERM.")
    spread_seconds: Seconds = Field(
        3.0, ge=0, description="The router still accepts new players for this time after SIGTERM."
    )

    @field_validator("matchmaker")
    @classmethod
    def _are_urls(cls, value: list[str]) -> list[str]:
        for each in value:
            parts = urlsplit(each)
            if parts.scheme not in ("ws", "wss", "http", "https") or not parts.hostname or parts.query:
                raise ValueError("must be a URL such as ws://matchmaker:3000")
        return value

    @field_validator("path_prefix")
    @classmethod
    def _is_prefix(cls, value: str) -> str:
        value = value.rstrip("/")
        if value and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
            raise ValueError("must be a path such as /game")
        return value

    @field_validator("frame_ancestors", "parents")
    @classmethod
    def _are_origins(cls, value: list[str]) -> list[str]:
        for each in value:
            if each != "*" and not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+", each):
                raise ValueError("must be origins such as https://shop.example")
        return value

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "Settings":
        if (self.tls_key is None) is not (self.tls_cert is None):
            raise ValueError("--tls-key and --tls-cert: give both or none")
        return self

    def player_policy(self) -> AccessPolicy:
        """Return the access policy of players."""
        return AccessPolicy("players", self.auth, links=True)

    def operator_policy(self, name: Literal["proxy", "api", "dashboard"]) -> AccessPolicy | None:
        """Return the access policy of an interface for operators; None when it is closed."""
        lock: Lock | None = getattr(self, f"{name}_auth")
        method: AuthMethod
        if lock is None:
            if self.auth not in ("basic", "jwt", "oidc"):
                return None
            method = self.auth
        elif lock == "closed":
            return None
        else:
            method = "none" if lock == "open" else lock
        return AccessPolicy(name, method, getattr(self, f"{name}_role"))

    def methods(self) -> dict[str, str]:
        """Return the authentication methods of players and of all open interfaces for operators, with their options."""
        policies = {f"--{name}-auth": self.operator_policy(name) for name in ("proxy", "api", "dashboard")}
        return {policy.method: option for option, policy in policies.items() if policy} | super().methods()
