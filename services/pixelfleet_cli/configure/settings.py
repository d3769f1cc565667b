"""Settings of `pixelfleet configure`."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from pixelfleet.service.settings import ServiceSettings
from pixelfleet.service.values import Directory, File


class Settings(ServiceSettings):
    """The command writes a kustomize overlay for one cluster from a .env file, and prints or applies its manifests."""

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_CONFIGURE_")
    command: ClassVar[str] = "configure"
    sections: ClassVar[Mapping[str, str]] = {"env_file": "Files"}
    unused: ClassVar[frozenset[str]] = frozenset({"host", "log_level", "log_format"})

    env_file: File = Field(
        Path(".env"), description="This file contains the values. The environment is used for missing ones."
    )
    folder: Directory = Field(Path("k8s"), description="The manifests of Pixelfleet are in this directory.")
    overlay: Directory | None = Field(
        None, description="The overlay is written to this directory. The default is overlay in the directory above."
    )
    ask: bool | None = Field(
        None,
        description="The command prompts for each value. This is the default at a terminal without a file.",
    )
    action: Literal["print", "apply", "delete"] = Field(
        "print",
        description="The command prints the manifests, applies them to the cluster of kubectl's current context and "
        "deletes what an earlier configuration left there, or deletes the installation.",
    )
