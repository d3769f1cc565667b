"""Settings of the test streamer."""

import secrets
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import SettingsConfigDict

from pixelfleet.service.settings import ServiceSettings


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("must be even: video keeps its colours for two by two pixels")
    return value


def _websocket_url(value: str) -> str:
    if not value.startswith(("ws://", "wss://")):
        raise ValueError("must start with ws:// or wss://")
    return value


class Settings(ServiceSettings):
    """What the test streamer can be told."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_STREAMER_")

    command: ClassVar[str] = "streamer"

    url: Annotated[str, AfterValidator(_websocket_url)] = Field(
        "ws://127.0.0.1:8888", description="the signalling server's address for streamers", max_length=2048
    )
    id: str = Field(
        default_factory=lambda: f"test-{secrets.token_hex(2)}",
        description="the name that players see; made up at the start if none is given",
        min_length=1,
        max_length=128,
    )
    width: Annotated[int, AfterValidator(_even)] = Field(
        1280, description="the video's width in pixels", ge=640, le=3840
    )
    height: Annotated[int, AfterValidator(_even)] = Field(
        720, description="the video's height in pixels", ge=360, le=2160
    )
    fps: int = Field(30, description="frames a second", ge=1, le=60)
    codec: Literal["h264", "vp8"] = Field("h264", description="the video codec that is offered first; both are offered")
    min_bitrate: int = Field(
        500_000, description="bits a second that a poor network brings the video down to", ge=100_000, le=50_000_000
    )
    start_bitrate: int = Field(
        2_000_000, description="bits a second that the video starts with", ge=100_000, le=50_000_000
    )
    max_bitrate: int = Field(
        3_000_000, description="bits a second that the video never exceeds", ge=100_000, le=50_000_000
    )
    max_players: int = Field(
        0, description="players served at once; one more is sent away; 0 = no limit", ge=0, le=1000
    )
    ice_address: list[IPv4Address | IPv6Address] = Field(
        default_factory=list,
        description="offer players only these addresses of this machine; all of them if none is given",
        max_length=16,
    )
    ice_servers: bool = Field(
        True, description="use the STUN and TURN servers that the signalling server names (never any others)"
    )
    connect_seconds: float = Field(
        30.0, description="how long a player may take until its media flows before it is let go", gt=0, le=600
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.min_bitrate <= self.start_bitrate <= self.max_bitrate:
            raise ValueError("--min-bitrate must be at most --start-bitrate, and that at most --max-bitrate")
        return self
