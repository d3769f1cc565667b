"""Settings of the matchmaker."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from matchmaker.legacy.dialects import DialectRule, rule_of
from matchmaker.legacy.options import translate_arguments, translate_config
from matchmaker.webhooks.settings import WebhookSettings
from pixelfleet.fleet.model import Policy
from pixelfleet.service.errors import warn
from pixelfleet.service.options import parse_list
from pixelfleet.service.values import Address, Bytes, File, Name, Origin, Placeholder, Port, Seconds

LEGACY_PORT = 9999


class Settings(WebhookSettings):
    """The matchmaker queues players, assigns each to a free streamer, and hands it over to its router or relays it."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_MATCHMAKER_")
    command: ClassVar[str] = "matchmaker"
    sections: ClassVar[Mapping[str, str]] = {
        "port": "Addresses and ports",
        "rest_token": "REST API and redirects",
        "tls_key": "TLS and proxies",
        "app": "Matching",
        "history_sessions": "Records of sessions",
        "max_queue": "Queue and shutdown",
        "legacy_link": "Legacy servers",
    }

    port: Port = Field(3000, description="Players and callers of the REST API connect to this port.")
    metrics_port: Port = Field(3900, description="Prometheus reads metrics on this port.")

    rest_token: Annotated[SecretStr, Placeholder("TOKEN")] | None = Field(
        None,
        min_length=1,
        description="Requests to /api/v1 and /list need this token. Without it they are refused.",
    )
    rest_api: bool = Field(False, description="Reads of /api/v1 and /list need no token. Changes still need it.")
    redirect: bool = Field(
        False, description="A browser that requests / is redirected to the page of a free signalling server."
    )
    offers_per_minute: int = Field(
        60,
        ge=0,
        description="A client address may make this number of reservations per minute over HTTP; more are refused with "
        "status 429. 0 is no limit.",
    )
    origins: list[Origin] = Field(
        default=["*"], description="Pages of these origins may connect and call the API; * is any origin."
    )

    tls_key: File | None = Field(
        None,
        description="This file holds the private key (PEM). With a key and a certificate, players connect with TLS.",
    )
    tls_cert: File | None = Field(None, description="This file holds the certificate chain (PEM).")
    redirect_port: Port | None = Field(None, description="HTTP requests to this port are redirected to the TLS port.")
    trusted_proxies: int = Field(
        0, ge=0, le=16, description="The matchmaker trusts this many last entries of X-Forwarded-For."
    )

    app: Name = Field(
        "default", min_length=1, max_length=64, description="A player that requests no application gets this one."
    )
    apps: list[Name] = Field(
        default=[],
        description="These applications exist, even without a streamer: their waiting players count in the demand. "
        "Those of --app, --policies and --warm need no entry. Players may wait for few other names.",
    )
    policy: Policy = Field(
        "spread",
        description="A player gets the free streamer that was used least recently (spread), is on the busiest node "
        "(pack), or has been connected for longest (oldest).",
    )
    policies: dict[str, Policy] = Field(
        default={}, description="Applications may have their own policies, as APP=POLICY."
    )
    warm: dict[str, int] = Field(default={}, description="Autoscaling keeps this number of free slots, as APP=NUMBER.")
    labels: list[Name] = Field(
        default=["region", "version"], description="Players may select streamers by these labels."
    )
    join: Literal["any", "session", "never"] = Field(
        "any",
        description="A player may join a session as a spectator by the id of the streamer or session (any), only by "
        "the id of the session (session), or not at all (never).",
    )

    guests_take_slots: bool = Field(
        False,
        description="An invited guest occupies a slot of the streamer (`--capacity`) and waits until one is free. "
        "Otherwise guests occupy none, as spectators.",
    )
    kick_seconds: Seconds = Field(
        600,
        ge=0,
        le=86_400,
        description="A person whose session an operator has ended is refused for this time. A person is known by its "
        "login, its signed link or the router's cookie. 0 disables this.",
    )

    subject_sessions: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="A person with a login may have this many sessions at once, waiting ones included; a further one "
        "is closed with code 4211. 0 is no limit.",
    )
    subject_minutes: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="A person with a login may play for this many minutes a day (UTC) in all its sessions; then it is "
        "refused with code 4212. 0 is no limit.",
    )
    tenant_sessions: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="All persons of a tenant together may have this many sessions at once; 0 is no limit.",
    )
    tenant_minutes: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="All persons of a tenant together may play for this many minutes a day; 0 is no limit.",
    )
    history_sessions: int = Field(
        100_000,
        ge=0,
        le=10_000_000,
        description="The fleet store keeps the records of about this many ended sessions; a further one replaces the "
        "oldest. 0 records nothing and removes all records.",
    )
    history_days: float = Field(
        30.0, gt=0, le=3650, description="Records of sessions that ended more than this number of days ago are removed."
    )
    record_addresses: Literal["hash", "full", "off"] = Field(
        "hash",
        description="A session's record has a hash of its player's address that needs the session key (hash), the "
        "address itself (full), or neither (off).",
    )

    max_queue: int = Field(10000, ge=1, description="More waiting players than this are refused with HTTP 503.")
    connections_per_address: int = Field(
        256,
        ge=0,
        description="More simultaneous players from one address than this are refused with HTTP 429; 0 is no limit. "
        "Clients on this machine are not limited.",
    )
    joins_per_minute: float = Field(
        300,
        ge=0,
        description="More new players per minute from one address than this are refused with HTTP 429; 0 is no limit. "
        "Clients on this machine are not limited.",
    )
    early_bytes: Bytes = Field(
        16777216,
        ge=0,
        description="Messages that players send before they have a streamer take at most this many bytes in total, "
        "beyond 1 KiB each. A player that exceeds this is closed with code 4104.",
    )
    queue_seconds: Seconds = Field(
        3600, gt=0, description="A player that has waited for this time is closed with code 4103."
    )
    resume_seconds: Seconds = Field(
        30.0,
        ge=0,
        le=3600,
        description="A waiting player whose connection is lost keeps its place in the queue for this time, if its page "
        "can return to it. 0 disables this.",
    )
    confirm_seconds: Seconds = Field(
        3.0,
        ge=0,
        le=60,
        description="A player whose page sends no message within this time after the connection to its streamer is "
        "closed with code 4009, and the next player gets the streamer. 0 disables this.",
    )
    drain_seconds: Seconds = Field(
        30.0, ge=0, description="Players with a streamer may stay for this time after SIGTERM."
    )
    spread_seconds: Seconds = Field(
        3.0, ge=0, description="The matchmaker still answers new connections for this time after SIGTERM."
    )

    legacy_link: bool | None = Field(
        None,
        description="Legacy signalling servers may connect. This is the default without Redis or with --legacy-port.",
    )
    legacy_port: Port | None = Field(None, description="Legacy servers connect to this TCP port. The default is 9999.")
    legacy_host: Address = Field("127.0.0.1", description="Legacy servers connect to this address.")
    legacy_allow: list[IPv4Network | IPv6Network] = Field(
        default=[], description="Only legacy servers in these networks may connect. Without networks, all may."
    )
    legacy_trust_address: bool = Field(
        False,
        description="The matchmaker dials a legacy server at the address that it reports, not at the one of "
        "its connection.",
    )
    legacy_dialect: list[Annotated[str, Placeholder("DIALECT")]] = Field(
        default=["5.0"],
        description="Legacy servers use this protocol: legacy is that of Unreal Engine 4.27, 5.1 that of 5.0 and 5.1, "
        "5.2 that of 5.2 and 5.3, 5.5 that of Pixelfleet. With 5.0 the matchmaker determines the dialect of each "
        "server, except legacy. NETWORK=DIALECT and ADDRESS:PORT=DIALECT are for some servers only.",
    )
    legacy_seconds: Seconds = Field(
        75.0, gt=0, description="A legacy server that has been silent for this time is disconnected."
    )
    legacy_servers: int = Field(
        10000, ge=1, description="More simultaneous connections of legacy servers than this are closed."
    )
    legacy_ca: File | None = Field(None, description="This CA (PEM) verifies legacy servers that use wss.")

    @classmethod
    def translate_config(cls, keys: dict[str, Any]) -> dict[str, Any]:
        """Return the keys of a config file, with the reference matchmaker's translated; print warnings."""
        translated, warnings = translate_config(keys)
        for warning in warnings:
            warn(warning)
        return translated

    @classmethod
    def translate_arguments(cls, arguments: Sequence[str], file_keys: Mapping[str, Any] | None) -> list[str]:
        """Return the options, with the reference matchmaker's translated; print warnings."""
        translated, warnings = translate_arguments(arguments, file_keys)
        for warning in warnings:
            warn(warning)
        return translated

    @field_validator("legacy_dialect", mode="before")
    @classmethod
    def _one_dialect(cls, value: Any) -> Any:
        return parse_list(value) if isinstance(value, str) else value

    @field_validator("legacy_dialect")
    @classmethod
    def _dialects_exist(cls, value: list[str]) -> list[str]:
        for text in value:
            rule_of(text)
        return value

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "Settings":
        if (self.tls_key is None) is not (self.tls_cert is None):
            raise ValueError("--tls-key and --tls-cert: give both or none")
        if self.redirect_port is not None and self.tls_cert is None:
            raise ValueError("--redirect-port: needs --tls-cert and --tls-key")
        return self

    @property
    def join_rules(self) -> dict[str, Any]:
        """The rules of `join_request_of`, as its keywords."""
        return {
            "app": self.app,
            "labels": self.labels,
            "join": self.join,
            "guests_take_slots": self.guests_take_slots,
        }

    @property
    def app_policies(self) -> dict[str, Policy]:
        """The policy of each application in the settings."""
        return {
            **dict.fromkeys((*self.apps, *self.warm), "spread"),
            self.app: self.policy,
            **self.policies,
        }

    @property
    def legacy_rules(self) -> list[DialectRule]:
        """The rules of --legacy-dialect."""
        return [rule_of(text) for text in self.legacy_dialect]

    @property
    def link_port(self) -> int | None:
        """The port for legacy servers, or None when it is disabled."""
        enabled = self.legacy_port is not None or not self.store_url if self.legacy_link is None else self.legacy_link
        port = LEGACY_PORT if self.legacy_port is None else self.legacy_port
        return port if enabled else None
