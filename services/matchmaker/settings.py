"""What a matchmaker can be told."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from pixelfleet.fleet.model import Policy
from pixelfleet.fleet.settings import FleetSettings

LEGACY_PORT = 9999


class Settings(FleetSettings):
    """Queues players and matches each to a free streamer."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_MATCHMAKER_")
    command: ClassVar[str] = "matchmaker"

    port: int = Field(3000, ge=0, le=65535, description="port for players and REST")
    metrics_port: int = Field(3900, ge=0, le=65535, description="port for Prometheus")
    rest_token: SecretStr | None = Field(None, description="bearer token for /api/v1; closed until it is set")
    origins: list[str] = Field(default=["*"], description="origins whose pages may connect and call; * is any")
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
    drain_seconds: float = Field(30.0, ge=0, description="how long players may stay after SIGTERM")

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

    @property
    def link_port(self) -> int | None:
        """The port for stock servers, or None when they are not wanted."""
        wanted = self.legacy_port is not None or not self.store_url if self.legacy_link is None else self.legacy_link
        port = LEGACY_PORT if self.legacy_port is None else self.legacy_port
        return port if wanted else None
