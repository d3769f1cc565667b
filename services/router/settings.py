"""What a router can be told."""

import re
from pathlib import Path
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from pixelfleet.auth.guard import Door
from pixelfleet.auth.identity import Way
from pixelfleet.auth.settings import AuthSettings

PAGE = Path(__file__).parent / "page"

Lock = Literal["closed", "open", "basic", "jwt"]


class Settings(AuthSettings):
    """The public door: the player page, the way to a matchmaker, the dashboard, and streamers' REST APIs."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_ROUTER_")
    command: ClassVar[str] = "router"

    port: int = Field(8080, ge=0, le=65535, description="public port")
    metrics_port: int = Field(8900, ge=0, le=65535, description="port for Prometheus")
    matchmaker: list[str] = Field(
        default=["ws://127.0.0.1:3000"],
        min_length=1,
        description="a matchmaker's URL; may be given several times, and a name with several addresses is several",
    )
    matchmaker_ca: Path | None = Field(None, description="CA (PEM) of matchmakers that are spoken to over TLS")
    rest_token: SecretStr | None = Field(
        None, description="the matchmakers' --rest-token, for the dashboard and /proxy"
    )
    path_prefix: str = Field("", description="path below which everything is served, such as /game")
    tls_key: Path | None = Field(None, description="private key (PEM); with it the public port speaks TLS")
    tls_cert: Path | None = Field(None, description="certificate chain (PEM)")
    origins: list[str] = Field(default=["*"], description="origins whose pages may connect and call; * is any")
    trusted_proxies: int = Field(0, ge=0, le=16, description="proxies of ours whose X-Forwarded-For is believed")

    page: Path = Field(PAGE, description="folder of the built player page")
    branding: Path | None = Field(None, description="folder with a branding.json and its pictures")
    parents: list[str] = Field(default=[], description="origins of pages that may talk with the player in their frame")
    functions: list[str] = Field(default=[], description="functions that those pages may call by the older messages")
    signalling_hosts: list[str] = Field(default=[], description="hosts that a link may have the page dial with ?_ws=")
    frame_ancestors: list[str] = Field(default=["*"], description="origins whose pages may frame the page; * is any")

    proxy_auth: Lock | None = Field(None, description="who may use /proxy; as --auth, and closed where that is none")
    api_auth: Lock | None = Field(
        None, description="who may use /api; as --auth, and where that is none whoever has the matchmaker's own token"
    )
    dashboard_auth: Lock | None = Field(
        None, description="who may use /dashboard; as --auth, closed where that is none"
    )
    proxy_role: str = Field("admin", description="role that /proxy asks for; empty is any")
    api_role: str = Field("admin", description="role that /api asks for; empty is any")
    dashboard_role: str = Field("admin", description="role that /dashboard asks for; empty is any")

    proxy_body_bytes: int = Field(1048576, ge=0, description="a larger body to /proxy or /api is refused with 413")
    proxy_seconds: float = Field(30.0, gt=0, description="an exchange over /proxy that takes longer ends with 504")
    proxies_at_once: int = Field(256, ge=1, description="exchanges over /proxy and /api at once; more get 503")

    max_players: int = Field(0, ge=0, description="players at once; 0 is no limit; more are refused with HTTP 503")
    connections_per_address: int = Field(0, ge=0, description="players at once from one address, 0 for any; then 429")
    joins_per_minute: float = Field(0, ge=0, description="new players from one address, 0 for any; then 429")
    logins_per_minute: float = Field(30, ge=0, description="wrong logins from one address, 0 for any; then 429")
    requests_per_second: float = Field(
        100, ge=0, description="HTTP requests from one address, with bursts of 5 s, 0 for any; then 429"
    )
    drain_seconds: float = Field(30.0, ge=0, description="how long players may stay after SIGTERM")
    spread_seconds: float = Field(3.0, ge=0, description="how long new ones are still taken after that")

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
            raise ValueError("--tls-key and --tls-cert: one is of no use without the other")
        return self

    def player_door(self) -> Door:
        """Return what players are asked for."""
        return Door("players", self.auth, links=True)

    def operator_door(self, name: Literal["proxy", "api", "dashboard"]) -> Door | None:
        """Return what is asked for at a door that is not for players; None when it is closed."""
        lock: Lock | None = getattr(self, f"{name}_auth")
        way: Way
        if lock is None:
            if self.auth not in ("basic", "jwt"):
                return None
            way = self.auth
        elif lock == "closed":
            return None
        else:
            way = "none" if lock == "open" else lock
        return Door(name, way, getattr(self, f"{name}_role"))

    def ways(self) -> set[str]:
        """Return the ways of proof that any door asks for."""
        doors = (self.operator_door(name) for name in ("proxy", "api", "dashboard"))
        return {self.auth, *(door.way for door in doors if door is not None)}
