"""Settings of the TURN API."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from pixelfleet.protocol.rtc_configuration import MAX_USERNAME_BYTES
from pixelfleet.service.settings import ServiceSettings
from pixelfleet.service.values import File, KubeName, Name, Placeholder, Port, Seconds, Url
from turnapi.credentials import MIN_SECRET_BYTES, CredentialIssuer, FixedUser, SharedSecret
from turnapi.ice import AddressKind, AnswerOptions, Policy, Transport, parse_server, usable_port


def _server(text: str) -> str:
    parse_server(text)
    return text


def _api_address(text: str) -> str:
    if text and not text.startswith(("http://", "https://")):
        raise ValueError("must be an http:// or https:// address")
    return text


def _username(text: str) -> str:
    if len(text.encode()) > MAX_USERNAME_BYTES:
        raise ValueError(f"must have at most {MAX_USERNAME_BYTES} bytes")
    return text


TurnPort = Annotated[Port, AfterValidator(usable_port)]


class Settings(ServiceSettings):
    """The TURN API provides players and streamers with a list of STUN and TURN servers and credentials that expire."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_TURN_API_")
    command: ClassVar[str] = "turn-api"
    sections: ClassVar[Mapping[str, str]] = {
        "port": "Addresses and ports",
        "server": "TURN servers (exactly one source)",
        "secret": "Credentials (a shared secret, or one fixed user)",
        "transports": "Answer",
    }

    port: Port = Field(3480, description="Signalling servers request the configuration on this port.")
    metrics_port: Port = Field(3980, description="Prometheus reads metrics on this port.")

    server: list[Annotated[str, AfterValidator(_server), Placeholder("HOST[:PORT]")]] = Field(
        default=[], max_length=1000, description="Players and streamers use these TURN servers."
    )
    servers_file: File | None = Field(
        None, description="This JSON file contains the list of TURN servers. It is read again when it changes."
    )
    reread_seconds: Seconds = Field(
        2.0, ge=0.1, le=3600, description="The file is checked for changes at this interval."
    )
    pod_label: Annotated[str, Placeholder("SELECTOR")] = Field(
        "",
        max_length=512,
        description="The TURN servers are the running Kubernetes pods with this label in --pod-namespace, on the host "
        "network, such as app.kubernetes.io/name=turn.",
    )
    pod_namespace: KubeName = Field("", description="The pods with the label --pod-label are in this namespace.")
    node_label: Annotated[str, Placeholder("SELECTOR")] = Field(
        "",
        max_length=512,
        description="The TURN servers are the Kubernetes nodes with this label, such as app.pixel/turn=true. With "
        "--pod-label only those that run such a pod.",
    )
    node_address: AddressKind = Field(
        "external",
        description="Players reach a node at an address of this kind. A pod shows only the internal ones, so external "
        "ones require --node-label.",
    )
    kube_api: Annotated[Url, AfterValidator(_api_address)] = Field(
        "",
        description="The Kubernetes API is at this URL and needs no credentials, as with kubectl proxy. By default the "
        "service reads the address and token of its pod's service account.",
    )

    secret: SecretStr | None = Field(
        None, description="Credentials are derived from this secret, the static-auth-secret of coturn."
    )
    username: Annotated[Name, AfterValidator(_username)] = Field(
        "", max_length=256, description="All players and streamers use this user name."
    )
    credential: Annotated[SecretStr, Placeholder("PASSWORD")] | None = Field(
        None, description="The fixed user has this password."
    )
    lifetime: Seconds = Field(3600, ge=60, le=30 * 86400, description="Credentials of players expire after this time.")
    streamer_lifetime: Seconds = Field(
        7 * 86400,
        ge=60,
        le=90 * 86400,
        description="Credentials of streamers expire after this time. A streamer keeps them while it is connected.",
    )
    leeway: Seconds = Field(
        60, ge=0, le=3600, description="The clocks of TURN servers may be ahead of this machine's by this time."
    )

    transports: list[Transport] = Field(
        default=["stun", "udp", "tcp"], min_length=1, description="The answer contains URLs for these transports."
    )
    turn_port: TurnPort = Field(3478, ge=1, description="TURN servers listen for STUN, UDP and TCP on this port.")
    tls_port: TurnPort = Field(5349, ge=1, description="TURN servers listen for TLS on this port.")
    ice_transport_policy: Policy = Field(
        "all", description="Browsers use any ICE path, or with relay only paths through a TURN server."
    )
    most_servers: int = Field(
        0,
        ge=0,
        description="An answer has at most this number of servers, chosen by name; 0 is all. Browsers are slow with "
        "five or more.",
    )

    @model_validator(mode="after")
    def _has_one_source_and_one_kind_of_credentials(self) -> Self:
        sources = [bool(self.server), self.servers_file is not None, bool(self.pod_label or self.node_label)]
        if sum(sources) != 1:
            raise ValueError("--server, --servers-file, --pod-label or --node-label: give exactly one source")
        if bool(self.pod_label) is not bool(self.pod_namespace):
            raise ValueError("--pod-label and --pod-namespace: give both or none")
        if self.pod_label and not self.node_label and self.node_address == "external":
            raise ValueError("--node-address external: needs --node-label, because a pod shows only internal addresses")
        secret = self.secret.get_secret_value() if self.secret else ""
        password = self.credential.get_secret_value() if self.credential else ""
        if bool(secret) is bool(self.username or password):
            raise ValueError("--secret, or --username and --credential: give only one of them")
        if secret and len(secret.encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"--secret: must have at least {MIN_SECRET_BYTES} bytes")
        if not secret and not (self.username and password):
            raise ValueError("--username and --credential: give both or none")
        if set(self.transports) == {"stun"}:
            raise ValueError("--transports: stun alone has no relay; add udp, tcp or tls")
        return self

    def credential_issuer(self) -> CredentialIssuer:
        """Return the issuer for the configured kind of credentials."""
        if self.secret is not None and self.secret.get_secret_value():
            return SharedSecret(self.secret, self.leeway)
        assert self.credential is not None
        return FixedUser(self.username, self.credential)

    def answer_options(self) -> AnswerOptions:
        """Return the options of an answer."""
        return AnswerOptions(
            tuple(dict.fromkeys(self.transports)),
            self.turn_port,
            self.tls_port,
            self.ice_transport_policy,
            self.most_servers,
        )
