"""What the demo can be told."""

from typing import ClassVar, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from pixelfleet.service.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything in one process: a page with moving video, on one machine, with no GPU."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_DEMO_")
    command: ClassVar[str] = "demo"

    host: str = Field("127.0.0.1", min_length=1, description="address to listen on")
    log_level: Literal["debug", "info", "warning", "error"] = Field("warning", description="least level that is logged")
    port: int = Field(8080, ge=0, le=65535, description="port of the page")
    streamers: int = Field(1, ge=0, le=64, description="test streamers to start")
    streamer_port: int | None = Field(
        None, ge=0, le=65535, description="port for streamers of your own; 8888, or a free one when that is taken"
    )
    capacity: int = Field(1, ge=0, description="players a streamer takes; 0 is no limit")
    width: int = Field(1280, ge=16, le=3840, description="width of the test picture")
    height: int = Field(720, ge=16, le=2160, description="height of the test picture")
    fps: int = Field(30, ge=1, le=60, description="frames a second of the test picture")
