"""Settings of every service that uses the fleet store."""

from pydantic import Field, SecretStr, model_validator

from pixelfleet.fleet.tokens import MIN_KEY_BYTES
from pixelfleet.net.peer_settings import PeerSettings


class FleetSettings(PeerSettings):
    """Where the fleet is kept, and the key that its session tickets are signed with."""

    redis_url: SecretStr | None = Field(
        None, description="redis://, rediss:// or redis+sentinel:// of the shared fleet store; in memory without it"
    )
    session_key: SecretStr | None = Field(None, description="key that session tickets are signed with")

    @model_validator(mode="after")
    def _key_is_long_enough(self) -> "FleetSettings":
        key = self.session_key.get_secret_value() if self.session_key else None
        if key is not None and len(key.encode()) < MIN_KEY_BYTES:
            raise ValueError(f"--session-key: must have at least {MIN_KEY_BYTES} bytes")
        return self

    @property
    def store_url(self) -> str:
        """The fleet store's URL; empty for one in memory."""
        return self.redis_url.get_secret_value() if self.redis_url else ""
