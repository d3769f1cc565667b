"""The settings of events and webhooks."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, model_validator

from matchmaker.webhooks.core.signature import keys_of
from pixelfleet.auth.settings import AuthSettings
from pixelfleet.fleet.bounds import MAX_EVENTS
from pixelfleet.service.values import File, Name, Placeholder, Seconds, Url

MAX_WEBHOOKS: Final = 8

WebhookName = Annotated[Name, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


class WebhookSettings(AuthSettings):
    """What is reported to other services, and what they decide."""

    sections: ClassVar[Mapping[str, str]] = {"events": "Events and webhooks"}

    events: bool = Field(
        False,
        description="Changes of sessions and streamers are recorded as events, which listeners of /api/v1/events "
        "receive. This is always so with --webhooks.",
    )
    event_queue: int = Field(
        10_000,
        ge=100,
        le=MAX_EVENTS,
        description="The fleet store keeps this number of events for webhooks. A further one replaces the oldest, "
        "which is lost for a webhook that has not received it.",
    )
    webhooks: dict[WebhookName, Url] = Field(
        default={},
        description=f"Events are sent to these URLs, as NAME=URL, at most {MAX_WEBHOOKS}. The name is that of the "
        "webhook in metrics and in the fleet store, which keeps its position.",
    )
    webhook_secret: Annotated[SecretStr, Placeholder("SECRET")] | None = Field(
        None,
        description="Requests to webhooks are signed with this secret: whsec_ and 24 to 64 bytes in base64. Several, "
        "with spaces between them, each add a signature.",
    )
    webhook_seconds: Seconds = Field(
        5.0, gt=0, le=60, description="A request to a webhook fails after this time without an answer."
    )
    webhook_retry_seconds: Seconds = Field(
        86_400.0,
        ge=1,
        description="An event whose delivery still fails this long after it was read is given up.",
    )
    webhook_ca: File | None = Field(None, description="This CA (PEM) verifies webhooks that use https.")
    admission_webhook: Url = Field(
        "",
        description="Each new player is admitted, refused or changed by the answer of this URL.",
    )
    admission_seconds: Seconds = Field(
        2.0, gt=0, le=30, description="The default decision applies to a player after this time without an answer."
    )
    admission_default: Literal["deny", "allow"] = Field(
        "deny",
        description="Without a valid answer of the admission webhook, a player is refused with status 503 (deny), or "
        "admitted with what it requested (allow).",
    )

    @model_validator(mode="after")
    def _webhooks_are_valid(self) -> "WebhookSettings":
        if len(self.webhooks) > MAX_WEBHOOKS:
            raise ValueError(f"--webhooks: at most {MAX_WEBHOOKS} are possible")
        for option, url in [*(("--webhooks", each) for each in self.webhooks.values()), *self._admission_url()]:
            check_url(option, url)
        if self.webhook_secret is not None:
            try:
                keys_of(self.webhook_secret.get_secret_value())
            except ValueError as error:
                raise ValueError(f"--webhook-secret: {error}") from None
        elif self.webhooks or self.admission_webhook:
            raise ValueError("--webhooks and --admission-webhook: need --webhook-secret")
        return self

    def _admission_url(self) -> list[tuple[str, str]]:
        return [("--admission-webhook", self.admission_webhook)] if self.admission_webhook else []

    @property
    def webhook_keys(self) -> tuple[bytes, ...]:
        """The keys that sign requests; empty without a secret."""
        return keys_of(self.webhook_secret.get_secret_value()) if self.webhook_secret is not None else ()


def check_url(option: str, url: str) -> None:
    """Raise ValueError, which names the option, for what is not the URL of a webhook."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # an invalid port or address
        valid = False
    if not valid or "@" in parts.netloc or parts.fragment or not url.isprintable() or " " in url:
        raise ValueError(f"{option}: a webhook needs an http or https URL without a user and without a fragment")
