"""Settings of authentication."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from pixelfleet.fleet.settings import FleetSettings
from pixelfleet.service.errors import UsageError
from pixelfleet.service.keys import check_key
from pixelfleet.service.values import Claim, File, Name, Role, Seconds, Url


class AuthSettings(FleetSettings):
    """How players and operators authenticate."""

    sections: ClassVar[Mapping[str, str]] = {
        "auth": "Authentication",
        "jwt_issuer": "Tokens of an OpenID Connect issuer",
    }

    auth: Literal["none", "basic", "jwt", "oidc", "link"] = Field(
        "none",
        description="Players authenticate by this method: none, a password, a token, signing in at an OpenID Connect "
        "issuer with the browser (oidc), or a signed link.",
    )
    users: SecretStr | None = Field(
        None, description="These htpasswd lines (bcrypt or apr1) define users. Commas or line ends separate them."
    )
    users_file: File | None = Field(
        None,
        description="The lines of this htpasswd file define users. A third field may list roles. A changed "
        "file is read again within seconds.",
    )
    user_role: Role = Field(
        "",
        description="Users without a role in their line have this role. The default is admin, or player when players "
        "authenticate with passwords.",
    )
    link_key: SecretStr | None = Field(
        None, description="Links are signed with this key of 32 bytes or more. Without it the session key is used."
    )

    jwt_issuer: Url = Field("", description="Tokens of this OpenID Connect issuer are accepted.")
    jwt_audience: list[Name] = Field(default=[], description="A token must have one of these audiences.")
    jwt_keys_url: Url = Field(
        "", description="The issuer's keys (JWKS) are at this URL. Without it OpenID Connect discovery finds them."
    )
    jwt_required: dict[str, Any] = Field(
        default={}, description="A token must have these claims with these values. The value null accepts any value."
    )
    jwt_leeway: Seconds = Field(30, ge=0, le=600, description="The issuer's clock may differ by this time.")
    jwt_cookie: Name = Field("", description="This cookie may contain the token.")
    jwt_app_claim: Claim = Field("app", description="This claim lists the applications that its holder may use.")
    jwt_priority_claim: Claim = Field(
        "priority", description="This claim contains the holder's priority in the queue, from 0 to 7."
    )
    jwt_roles_claim: Claim = Field(
        "roles", description="This claim lists the holder's roles. It is a name, or a path with dots to a nested claim."
    )
    jwt_role_names: dict[str, Role] = Field(
        default={},
        description="Values of that claim give these roles, as VALUE=ROLE; other values then give none. Without it "
        "the values are the roles.",
    )
    jwt_tenant_claim: Claim = Field(
        "", description="This claim names the holder's tenant, to which --tenant-sessions and --tenant-minutes apply."
    )
    jwt_sessions_claim: Claim = Field(
        "", description="This claim contains the holder's own limit of simultaneous sessions; 0 is no limit."
    )
    jwt_minutes_claim: Claim = Field(
        "", description="This claim contains the holder's own limit of minutes a day; 0 is no limit."
    )

    @field_validator("jwt_issuer", "jwt_keys_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("must be an http or https URL")
        return value

    @model_validator(mode="after")
    def _link_key_is_long_enough(self) -> "AuthSettings":
        if self.link_secret:
            check_key("--link-key", self.link_secret)
        return self

    @property
    def auth_enabled(self) -> bool:
        """Whether players must authenticate, or may present a signed link."""
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

    def methods(self) -> dict[str, str]:
        """Return the authentication methods of all interfaces, each with the option that selects it."""
        return {self.auth: "--auth"}

    def check_methods(self) -> None:
        """Raise UsageError when a method lacks its users, issuer or key."""
        methods = self.methods()
        if "basic" in methods and self.users is None and self.users_file is None:
            raise UsageError(f"{methods['basic']} basic: no users are defined; give --users-file or --users")
        if "jwt" in methods and not (self.jwt_issuer and self.jwt_audience):
            raise UsageError(f"{methods['jwt']} jwt: give --jwt-issuer and --jwt-audience")
        if "oidc" in methods:
            if self.session_key is None:
                raise UsageError(f"{methods['oidc']} oidc: give --session-key, which signs the cookie of a sign-in")
            if self.jwt_cookie:
                raise UsageError(f"{methods['oidc']} oidc: has a cookie of its own; remove --jwt-cookie")
        if "link" in methods and not self.link_secret:
            raise UsageError(f"{methods['link']} link: give --link-key or --session-key")

    @property
    def accepts_tokens(self) -> bool:
        """Whether tokens of the issuer are accepted; with the method `oidc` they need an audience."""
        methods = self.methods()
        return "jwt" in methods or ("oidc" in methods and bool(self.jwt_issuer and self.jwt_audience))

    def user_lines(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the htpasswd lines of users, by the option that gives them.

        Reads --users-file, and raises UsageError when it is unreadable.
        """
        if self.users:
            yield "--users", self.users.get_secret_value().replace(",", "\n").splitlines()
        if self.users_file is not None:
            option = f"--users-file {self.users_file}"
            try:
                yield option, self.users_file.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                why = getattr(error, "strerror", None) or "is not UTF-8 text"
                raise UsageError(f"{option}: {why}") from None
