"""Types of settings, with the placeholder of their value in help, such as `--player-port PORT`."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

MAX_PATH_BYTES: Final = 2048
"""Half of the limit of Linux, so that names can be appended."""

MAX_NAME_BYTES: Final = 255
"""The limit of file systems for each name in a path."""

KUBE_NAME: Final = r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$"
"""A name of a Kubernetes object, or the empty text."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """The placeholder of an option's value in help and in the reference."""

    text: str


def _address(value: str) -> str:
    if not value or not value.isprintable() or any(each in value for each in " /@"):
        raise ValueError("must be an IP address or a host name")
    return value


def check_path(value: Any) -> Any:
    """Return the text of a path; raise ValueError for what no file system accepts, and for control characters.

    The functions of pathlib raise errors of many types for it. A value of another type is returned as it is.
    """
    if isinstance(value, str | Path):
        path = os.fsencode(value)
        if not path or any(byte < 32 for byte in path):
            raise ValueError("must be a path without control characters; without the option there is none")
        if len(path) > MAX_PATH_BYTES or any(len(name) > MAX_NAME_BYTES for name in path.split(b"/")):
            raise ValueError(
                f"must be a path of at most {MAX_PATH_BYTES} bytes, with names of at most {MAX_NAME_BYTES}"
            )
    return value


Port = Annotated[int, Field(ge=0, le=65535), Placeholder("PORT")]
Seconds = Annotated[float, Placeholder("SECONDS")]
Bytes = Annotated[int, Placeholder("BYTES")]
Url = Annotated[str, Placeholder("URL")]
Address = Annotated[str, AfterValidator(_address), Placeholder("ADDRESS")]
Name = Annotated[str, Placeholder("NAME")]
KubeName = Annotated[Name, StringConstraints(pattern=KUBE_NAME)]
Role = Annotated[str, Placeholder("ROLE")]
Claim = Annotated[str, Placeholder("CLAIM")]
Origin = Annotated[str, Placeholder("ORIGIN")]
UrlPath = Annotated[str, Placeholder("PATH")]
FileName = Annotated[str, AfterValidator(check_path), Placeholder("FILE")]
Json = Annotated[str, Placeholder("JSON")]
File = Annotated[Path, BeforeValidator(check_path), Placeholder("FILE")]
Directory = Annotated[Path, BeforeValidator(check_path), Placeholder("DIR")]
