"""What `pixelfleet configure` can be told."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from pixelfleet.service.settings import ServiceSettings


class Settings(ServiceSettings):
    """Writes an overlay for one cluster from a .env file and prints its manifests, for kubectl apply -f -."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_CONFIGURE_")
    command: ClassVar[str] = "configure"

    env_file: Path = Field(Path(".env"), description="file with the values; what it lacks the environment may have")
    folder: Path = Field(Path("k8s"), description="folder of the manifests that come with Pixelfleet")
    overlay: Path | None = Field(None, description="folder to write, by default `overlay` in the folder above")
    ask: bool | None = Field(None, description="ask for what is missing; so it is at a terminal when there is no file")
