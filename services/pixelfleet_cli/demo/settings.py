"""Settings of the demo."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from pixelfleet.service.settings import ServiceSettings
from pixelfleet.service.values import Address, Port
from teststreamer.settings import FramesPerSecond, Height, Width


class Settings(ServiceSettings):
    """The demo runs every service in one process: a page with moving video, on one machine, without a GPU."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_DEMO_")
    command: ClassVar[str] = "demo"
    sections: ClassVar[Mapping[str, str]] = {"port": "Addresses and ports", "streamers": "Test streamers"}

    host: Address = Field("127.0.0.1", min_length=1, description="The demo listens on this address.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="The log contains events of this level and of higher levels."
    )
    port: Port = Field(8080, description="Browsers open the page on this port.")
    streamer_port: Port | None = Field(
        None,
        description="Further streamers connect to this port. The default is 8888, or a free port when 8888 is taken.",
    )
    streamers: int = Field(1, ge=0, le=64, description="The demo starts this number of test streamers.")
    capacity: int = Field(1, ge=0, description="A streamer serves this number of players at a time; 0 is no limit.")
    fresh_app: Literal["off", "restart"] = Field(
        "off",
        description="With restart the test streamer is a process of its own that keeps the marks of clicks, and each "
        "session gets a new one.",
    )
    width: Width = Field(1280, description="The test picture has this width, an even number.")
    height: Height = Field(720, description="The test picture has this height, an even number.")
    fps: FramesPerSecond = Field(30, description="The test picture has this number of frames per second.")
    sound: bool = Field(True, description="The test streamers send sound: a soft pulse at each second of the clock.")

    @model_validator(mode="after")
    def _options_are_consistent(self) -> Self:
        if self.fresh_app == "restart" and self.streamers != 1:
            raise ValueError("--fresh-app restart: needs --streamers 1")
        return self
