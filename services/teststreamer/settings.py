"""Settings of the test streamer."""

import secrets
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import SettingsConfigDict

from pixelfleet.service.settings import ServiceSettings
from pixelfleet.service.values import Name, Placeholder, Seconds, Url


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("must be even: the video format stores colours for two by two pixels")
    return value


def _websocket_url(value: str) -> str:
    if not value.startswith(("ws://", "wss://")):
        raise ValueError("must start with ws:// or wss://")
    return value


Width = Annotated[int, Field(ge=640, le=3840), AfterValidator(_even), Placeholder("PIXELS")]
Height = Annotated[int, Field(ge=360, le=2160), AfterValidator(_even), Placeholder("PIXELS")]
FramesPerSecond = Annotated[int, Field(ge=1, le=60)]
Bitrate = Annotated[int, Field(ge=100_000, le=50_000_000), Placeholder("BITS")]


class Settings(ServiceSettings):
    """The test streamer connects to a signalling server like an application, and sends a test picture."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_STREAMER_")

    command: ClassVar[str] = "streamer"
    sections: ClassVar[Mapping[str, str]] = {"url": "Connection", "width": "Video and sound"}
    unused: ClassVar[frozenset[str]] = frozenset({"host"})

    url: Annotated[Url, AfterValidator(_websocket_url)] = Field(
        "ws://127.0.0.1:8888",
        max_length=2048,
        description="The signalling server accepts streamers at this ws:// or wss:// URL.",
    )
    id: Name = Field(
        default_factory=lambda: f"test-{secrets.token_hex(2)}",
        min_length=1,
        max_length=128,
        description="Players see this id. Without it the id is random.",
    )
    max_players: int = Field(
        0, ge=0, le=1000, description="More simultaneous players than this are disconnected; 0 is no limit."
    )
    ice_address: list[IPv4Address | IPv6Address] = Field(
        default_factory=list,
        max_length=16,
        description="The ICE candidates have these addresses of this machine. Without any they have all addresses.",
    )
    ice_servers: bool = Field(
        True, description="The streamer uses the STUN and TURN servers from the signalling server's config message."
    )
    connect_seconds: Seconds = Field(
        30.0, gt=0, le=600, description="A player whose media does not flow after this time is disconnected."
    )

    width: Width = Field(1280, description="The video has this width, an even number.")
    height: Height = Field(720, description="The video has this height, an even number.")
    fps: FramesPerSecond = Field(30, description="The video has this many frames per second.")
    codec: Literal["h264", "vp8"] = Field("h264", description="The streamer offers both codecs, this one first.")
    min_bitrate: Bitrate = Field(
        500_000, description="A poor network reduces the video to this rate, in bits per second."
    )
    start_bitrate: Bitrate = Field(2_000_000, description="The video starts with this rate, in bits per second.")
    max_bitrate: Bitrate = Field(3_000_000, description="The video never exceeds this rate, in bits per second.")

    keep_marks: bool = Field(
        False,
        description="The picture shows where players have clicked until the streamer ends, as an application keeps its "
        "state from one session to the next.",
    )
    sound: bool = Field(
        True, description="The stream has sound: a soft pulse at each second of the clock. Pages start it muted."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.min_bitrate <= self.start_bitrate <= self.max_bitrate:
            raise ValueError("--min-bitrate must be at most --start-bitrate, and that at most --max-bitrate")
        return self
