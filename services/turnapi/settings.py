"""What a TURN API can be told."""

from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from pixelfleet.service.settings import ServiceSettings
from turnapi.credentials import MIN_SECRET_BYTES, FixedUser, Mint, SharedSecret
from turnapi.ice import Policy, Recipe, Transport, parse_server
from turnapi.nodes import AddressKind


def _server(text: str) -> str:
    parse_server(text)
    return text


def _api_address(text: str) -> str:
    if text and not text.startswith(("http://", "https://")):
        raise ValueError("must be an http:// or https:// address")
    return text


class Settings(ServiceSettings):
    """Tells players and streamers which STUN and TURN servers there are, with credentials that expire."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_TURN_API_")
    command: ClassVar[str] = "turn-api"

    port: int = Field(3480, ge=0, le=65535, description="port for the answer")
    metrics_port: int = Field(3980, ge=0, le=65535, description="port for Prometheus")

    server: list[Annotated[str, AfterValidator(_server)]] = Field(
        default=[], max_length=1000, description="a TURN server, as host or host:port; once or more"
    )
    servers_file: Path | None = Field(None, description="or a JSON file with a list of them, read again on change")
    reread_seconds: float = Field(2.0, ge=0.1, le=3600, description="how often that file is looked at")
    node_label: str = Field(
        "", max_length=512, description="or the Kubernetes nodes that this label selector picks, app.pixel/turn say"
    )
    node_address: AddressKind = Field("external", description="which of a node's addresses players can reach")
    kube_api: Annotated[str, AfterValidator(_api_address)] = Field(
        "", description="Kubernetes API to ask without credentials, a kubectl proxy say; empty: the pod's own"
    )

    secret: SecretStr | None = Field(None, description="the secret of coturn's use-auth-secret")
    username: str = Field("", max_length=256, description="or a fixed user of the TURN servers")
    credential: SecretStr | None = Field(None, description="and its password")
    lifetime: float = Field(3600, ge=60, le=30 * 86400, description="seconds until credentials expire")
    streamer_lifetime: float = Field(
        7 * 86400, ge=60, le=90 * 86400, description="the same for a streamer, which keeps what it got on connecting"
    )
    leeway: float = Field(60, ge=0, le=3600, description="seconds that the TURN servers' clocks may be ahead of ours")

    transports: list[Transport] = Field(
        default=["stun", "udp", "tcp"], min_length=1, description="what is handed out of stun, udp, tcp and tls"
    )
    turn_port: int = Field(3478, ge=1, le=65535, description="the TURN servers' port for STUN, UDP and TCP")
    tls_port: int = Field(5349, ge=1, le=65535, description="their port for TLS")
    ice_transport_policy: Policy = Field("all", description="relay: no path but through a TURN server is used")
    most_servers: int = Field(
        0, ge=0, description="servers in one answer, spread by name; browsers are slow with five; 0 is all"
    )

    @model_validator(mode="after")
    def _one_source_and_one_way_in(self) -> Self:
        sources = [bool(self.server), self.servers_file is not None, bool(self.node_label)]
        if sum(sources) != 1:
            raise ValueError("--server, --servers-file, --node-label: exactly one of them says where TURN servers are")
        secret = self.secret.get_secret_value() if self.secret else ""
        password = self.credential.get_secret_value() if self.credential else ""
        if bool(secret) is bool(self.username or password):
            raise ValueError("--secret, or --username and --credential: one of the two is needed, as coturn has it")
        if secret and len(secret.encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"--secret: must have at least {MIN_SECRET_BYTES} bytes")
        if not secret and not (self.username and password):
            raise ValueError("--username and --credential: one is of no use without the other")
        if set(self.transports) == {"stun"}:
            raise ValueError("--transports: stun alone relays nothing; name udp, tcp or tls as well")
        return self

    def mint(self) -> Mint:
        """Return what makes the credentials."""
        if self.secret is not None and self.secret.get_secret_value():
            return SharedSecret(self.secret, self.leeway)
        assert self.credential is not None
        return FixedUser(self.username, self.credential)

    def recipe(self) -> Recipe:
        """Return what is chosen about the answer."""
        return Recipe(
            tuple(dict.fromkeys(self.transports)),
            self.turn_port,
            self.tls_port,
            self.ice_transport_policy,
            self.most_servers,
        )
