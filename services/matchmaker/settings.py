"""What a matchmaker can be told."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from matchmaker.legacy.options import translate_arguments, translate_config
from pixelfleet.auth.settings import AuthSettings
from pixelfleet.fleet.model import Policy
from pixelfleet.service.errors import tell

LEGACY_PORT = 9999


class Settings(AuthSettings):
    """Queues players and matches each to a free streamer."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_MATCHMAKER_")
    command: ClassVar[str] = "matchmaker"

    port: int = Field(3000, ge=0, le=65535, description="port for players and REST")
    metrics_port: int = Field(3900, ge=0, le=65535, description="port for Prometheus")
    rest_token: SecretStr | None = Field(
        None, min_length=1, description="bearer token for /api/v1 and /list; closed until it is set"
    )
    rest_api: bool = Field(False, description="let anybody read /api/v1 and /list; changes need the token all the same")
    redirect: bool = Field(False, description="send browsers that open / to a free signalling server's page")
    offers_per_minute: int = Field(
        60, ge=0, description="servers that one address may take over HTTP; more are answered with 429; 0 is no limit"
    )
    origins: list[str] = Field(default=["*"], description="origins whose pages may connect and call; * is any")
    tls_key: Path | None = Field(None, description="private key (PEM); with it players come over TLS")
    tls_cert: Path | None = Field(None, description="certificate chain (PEM)")
    redirect_port: int | None = Field(None, ge=0, le=65535, description="port that sends HTTP to the TLS port")
    trusted_proxies: int = Field(0, ge=0, le=16, description="proxies of ours whose X-Forwarded-For is believed")

    app: str = Field("default", min_length=1, max_length=64, description="the application of a player that names none")
    policy: Policy = Field("spread", description="which free streamer is taken: least recently used, or")
    policies: dict[str, Policy] = Field(default={}, description="the same for single apps, as a JSON object")
    warm: dict[str, int] = Field(default={}, description="idle streamers wanted of each app, for autoscaling; JSON")
    labels: list[str] = Field(default=["region", "version"], description="labels that players may ask for")
    join: Literal["any", "session", "never"] = Field(
        "any", description="who may look on at a session under way: who names a streamer, or its session id, or nobody"
    )

    max_queue: int = Field(10000, ge=1, description="players waiting at once; more are refused with HTTP 503")
    queue_seconds: float = Field(3600, gt=0, description="a player that has waited this long is closed with 4103")
    drain_seconds: float = Field(30.0, ge=0, description="how long players who have a streamer may stay after SIGTERM")
    spread_seconds: float = Field(3.0, ge=0, description="how long connections are answered after that at least")

    legacy_link: bool | None = Field(
        None, description="take stock servers; so it is when a port for them is given, or no Redis"
    )
    legacy_port: int | None = Field(None, ge=0, le=65535, description="TCP port for stock servers, by default 9999")
    legacy_host: str = Field("127.0.0.1", description="address on which stock servers are taken")
    legacy_allow: list[IPv4Network | IPv6Network] = Field(
        default=[], description="networks from which stock servers may come; all, when empty"
    )
    legacy_trust_address: bool = Field(False, description="dial stock servers where they say, not where they come from")
    legacy_dialect: Literal["legacy", "5.0"] = Field("5.0", description="legacy: the stock servers are 4.27")
    legacy_seconds: float = Field(75.0, gt=0, description="a stock server that has been silent this long is dropped")
    legacy_servers: int = Field(10000, ge=1, description="links of stock servers at once; more are closed")
    legacy_ca: Path | None = Field(None, description="CA (PEM) of stock servers that take players over wss")

    @classmethod
    def translate_config(cls, keys: dict[str, Any]) -> dict[str, Any]:
        """Return the keys of a config file with the reference matchmaker's translated; tell what is different."""
        translated, warnings = translate_config(keys)
        for warning in warnings:
            tell(warning)
        return translated

    @classmethod
    def translate_arguments(cls, arguments: Sequence[str], file_keys: Mapping[str, Any] | None) -> list[str]:
        """Return the options with the reference matchmaker's translated; tell what is different."""
        translated, warnings = translate_arguments(arguments, file_keys)
        for warning in warnings:
            tell(warning)
        return translated

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "Settings":
        if (self.tls_key is None) is not (self.tls_cert is None):
            raise ValueError("--tls-key and --tls-cert: one is of no use without the other")
        if self.redirect_port is not None and self.tls_cert is None:
            raise ValueError("--redirect-port: needs --tls-cert and --tls-key, there is no TLS to send anybody to")
        return self

    @property
    def link_port(self) -> int | None:
        """The port for stock servers, or None when they are not wanted."""
        wanted = self.legacy_port is not None or not self.store_url if self.legacy_link is None else self.legacy_link
        port = LEGACY_PORT if self.legacy_port is None else self.legacy_port
        return port if wanted else None
