"""Secrets in files: each secret setting `x` has a setting `x_file` for the path of a file with the value."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from pixelfleet.service.catalogue import catalogue
from pixelfleet.service.errors import UsageError

MAX_SECRET_BYTES: Final = 64 * 1024


def with_files_read(cls: type[BaseModel], values: Mapping[str, Any], decided: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of one source, with the content of secret files in place of their paths.

    A file is not read when a source of higher precedence has `decided` the secret. Raises UsageError when one source
    has both the secret and its file, and for an unreadable or invalid file.
    """
    result = dict(values)
    for name, setting in catalogue(cls).items():
        path = result.pop(setting.file_name, None) if setting.file_name else None
        if path in (None, ""):
            continue
        if name in result:
            raise UsageError(f"{setting.option} and {setting.file_option}: give only one of them")
        if not isinstance(path, str | Path):
            raise UsageError(f"{setting.file_option}: must be the path of a file")
        if name not in decided:
            result[name] = read_secret(setting.file_option, Path(path))
    return result


def read_secret(option: str, path: Path) -> str:
    """Return the text of a file without trailing line ends; raise UsageError that begins with the option."""
    where = f"{option} {path}"
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"{where}: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > MAX_SECRET_BYTES:
        raise UsageError(f"{where}: is larger than {MAX_SECRET_BYTES} bytes")
    try:
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError(f"{where}: is not UTF-8 text") from None
    if not text:
        raise UsageError(f"{where}: is empty")
    return text
