"""What a matchmaker can be told."""

from typing import ClassVar

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from pixelfleet.runtime.peer_settings import PeerSettings


class Settings(PeerSettings):
    """Queues players and matches each to a free streamer."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_MATCHMAKER_")
    command: ClassVar[str] = "matchmaker"

    port: int = Field(3000, ge=0, le=65535, description="port for players and REST")
    metrics_port: int = Field(3900, ge=0, le=65535, description="port for Prometheus")
    app: str = Field("default", min_length=1, max_length=64, description="the application of a player that names none")
    session_key: SecretStr | None = Field(None, description="key that session tickets are signed with")

    max_queue: int = Field(10000, ge=1, description="players waiting at once; more are refused with HTTP 503")
