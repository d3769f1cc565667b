"""Types of settings, with the placeholder of their value in help, such as `--player-port PORT`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, slots=True)
class Placeholder:
    """The placeholder of an option's value in help and in the reference."""

    text: str


Port = Annotated[int, Field(ge=0, le=65535), Placeholder("PORT")]
Seconds = Annotated[float, Placeholder("SECONDS")]
Bytes = Annotated[int, Placeholder("BYTES")]
Url = Annotated[str, Placeholder("URL")]
Address = Annotated[str, Placeholder("ADDRESS")]
Name = Annotated[str, Placeholder("NAME")]
Role = Annotated[str, Placeholder("ROLE")]
Claim = Annotated[str, Placeholder("CLAIM")]
Origin = Annotated[str, Placeholder("ORIGIN")]
UrlPath = Annotated[str, Placeholder("PATH")]
FileName = Annotated[str, Placeholder("FILE")]
Json = Annotated[str, Placeholder("JSON")]
Directory = Annotated[Path, Placeholder("DIR")]
