"""Settings of every service that uses the fleet store."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr, model_validator

from pixelfleet.net.peer_settings import PeerSettings
from pixelfleet.service.keys import check_key
from pixelfleet.service.values import Placeholder


class FleetSettings(PeerSettings):
    """The address of the fleet store, and the key of session tokens."""

    sections: ClassVar[Mapping[str, str]] = {"redis_url": "Fleet store"}

    redis_url: Annotated[SecretStr, Placeholder("URL")] | None = Field(
        None,
        description="The fleet store is this Redis: redis://, rediss:// or redis+sentinel://. Without it the store is "
        "in memory. Redis must not evict keys (`maxmemory-policy noeviction`), and must not be a Redis Cluster.",
    )
    session_key: SecretStr | None = Field(
        None,
        description="Session tokens are signed with this key of 32 bytes or more, as are handovers of players between "
        "matchmaker and router.",
    )

    @model_validator(mode="after")
    def _key_is_long_enough(self) -> "FleetSettings":
        if self.session_key is not None:
            check_key("--session-key", self.session_key.get_secret_value())
        return self

    @property
    def store_url(self) -> str:
        """The fleet store's URL; empty for the store in memory."""
        return self.redis_url.get_secret_value() if self.redis_url else ""
