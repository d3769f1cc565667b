"""The settings of signing in with a browser."""

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from pixelfleet.auth.settings import AuthSettings
from pixelfleet.service.errors import UsageError
from pixelfleet.service.values import Name, Seconds, Url


class SignInSettings(AuthSettings):
    """How browsers sign in at the issuer of --jwt-issuer."""

    sections: ClassVar[Mapping[str, str]] = {"oidc_client_id": "Signing in with a browser"}

    oidc_client_id: Name = Field("", description="The issuer knows the router as the client with this id.")
    oidc_client_secret: SecretStr | None = Field(
        None, description="The client has this secret at the issuer. Without it the client is a public one."
    )
    oidc_scopes: list[Name] = Field(
        default=["openid", "profile"], description="These scopes are requested; openid must be one of them."
    )
    oidc_seconds: Seconds = Field(
        28800, ge=60, le=30 * 86400, description="A browser stays signed in for this time, then it signs in again."
    )
    public_url: Url = Field(
        "",
        description="Browsers reach the router at this origin, such as https://play.example. Signing in needs it; the "
        "issuer redirects to /sign-in/callback there.",
    )

    @field_validator("public_url")
    @classmethod
    def _is_origin(cls, value: str) -> str:
        value = value.rstrip("/")
        parts = urlsplit(value)
        if value and (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or "@" in parts.netloc
            or value != f"{parts.scheme}://{parts.netloc}"
        ):
            raise ValueError("must be an origin such as https://play.example, without a path")
        return value

    @field_validator("oidc_scopes")
    @classmethod
    def _has_openid(cls, value: list[str]) -> list[str]:
        if "openid" not in value:
            raise ValueError("must contain openid")
        return value

    @property
    def signs_in(self) -> bool:
        """Whether an interface has the method `oidc`."""
        return "oidc" in self.methods()

    def check_methods(self) -> None:
        """Raise UsageError when a method lacks its users, issuer, client or key."""
        super().check_methods()
        if self.signs_in and not (self.jwt_issuer and self.oidc_client_id and self.public_url):
            option = self.methods()["oidc"]
            raise UsageError(f"{option} oidc: give --jwt-issuer, --oidc-client-id and --public-url")
