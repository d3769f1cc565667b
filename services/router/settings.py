"""What a router can be told."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from pixelfleet.runtime.peer_settings import PeerSettings

PAGE = Path(__file__).parent / "page"


class Settings(PeerSettings):
    """The public door: the player page, and the way to a matchmaker."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_ROUTER_")
    command: ClassVar[str] = "router"

    port: int = Field(8080, ge=0, le=65535, description="public port")
    metrics_port: int = Field(8900, ge=0, le=65535, description="port for Prometheus")
    matchmaker: list[str] = Field(
        default=["ws://127.0.0.1:3000"], min_length=1, description="a matchmaker's URL; may be given several times"
    )
    page: Path = Field(PAGE, description="folder of the built player page")

    max_players: int = Field(0, ge=0, description="players at once; 0 is no limit; more are refused with HTTP 503")
