"""Settings of every door that asks who comes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from pixelfleet.fleet.settings import FleetSettings
from pixelfleet.fleet.tokens import MIN_KEY_BYTES
from pixelfleet.service.errors import UsageError


class AuthSettings(FleetSettings):
    """Who may play, and how they prove who they are."""

    auth: Literal["none", "basic", "jwt", "link"] = Field(
        "none", description="who may play: anybody, users with a password, holders of a token, or of a signed link; or"
    )
    users: SecretStr | None = Field(
        None, description="lines of htpasswd (bcrypt, apr1), with commas or line ends between"
    )
    users_file: Path | None = Field(None, description="file of htpasswd lines; a third field may name roles")
    user_role: str = Field("", description="role of users whose line names none; `admin` unless players are users too")

    jwt_issuer: str = Field("", description="URL of the OpenID Connect issuer whose tokens hold")
    jwt_audience: list[str] = Field(default=[], description="audiences of which a token must have one")
    jwt_keys_url: str = Field("", description="where the issuer's JWKS is; found by discovery without it")
    jwt_required: dict[str, Any] = Field(
        default={}, description="claims that a token must have, with their value, or null for any; JSON"
    )
    jwt_leeway: float = Field(30, ge=0, le=600, description="seconds by which clocks may differ")
    jwt_cookie: str = Field("", description="cookie that may hold the token")
    jwt_app_claim: str = Field("app", description="claim that lists the apps which its holder may have")
    jwt_priority_claim: str = Field("priority", description="claim with the holder's priority in the queue, 0 to 7")
    jwt_roles_claim: str = Field("roles", description="claim that lists the holder's roles, as a name or a path to it")

    link_key: SecretStr | None = Field(None, description="key that links are signed with; the session key without it")

    @field_validator("jwt_issuer", "jwt_keys_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("must be an http or https URL")
        return value

    @model_validator(mode="after")
    def _link_key_is_long_enough(self) -> "AuthSettings":
        key = self.link_secret
        if key and len(key.encode()) < MIN_KEY_BYTES:
            raise ValueError(f"--link-key: must have at least {MIN_KEY_BYTES} bytes")
        return self

    @property
    def asks(self) -> bool:
        """Whether players are asked for anything, or may show something."""
        return self.auth != "none" or self.link_key is not None

    @property
    def link_secret(self) -> str:
        """The key of links; empty when there is none."""
        key = self.link_key or self.session_key
        return key.get_secret_value() if key else ""

    @property
    def role_of_users(self) -> str:
        """The role of a user whose line names none."""
        return self.user_role or ("player" if self.auth == "basic" else "admin")

    def ways(self) -> set[str]:
        """Return the ways of proof that any door asks for."""
        return {self.auth}

    def check_ways(self) -> None:
        """Raise UsageError when a way is asked for that nothing can be proven by."""
        ways = self.ways()
        if "basic" in ways and self.users is None and self.users_file is None:
            raise UsageError("basic: nobody is known; give --users-file or --users")
        if "jwt" in ways and not (self.jwt_issuer and self.jwt_audience):
            raise UsageError("jwt: give --jwt-issuer and --jwt-audience")
        if "link" in ways and not self.link_secret:
            raise UsageError("link: give --link-key or --session-key")

    def user_lines(self) -> Sequence[str]:
        """Return the lines of all users; reads a file, and raises UsageError when that cannot be read."""
        lines = self.users.get_secret_value().replace(",", "\n").splitlines() if self.users else []
        if self.users_file is not None:
            try:
                lines += self.users_file.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                why = getattr(error, "strerror", None) or "is not UTF-8 text"
                raise UsageError(f"--users-file {self.users_file}: {why}") from None
        return lines
