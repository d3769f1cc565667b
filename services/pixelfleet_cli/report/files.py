"""Writes the page of a report."""

from pathlib import Path

from pixelfleet.service.errors import UsageError


def write_page(path: Path, text: str) -> None:
    """Write the file of the option `--html`; raise UsageError."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--html {path}: {error.strerror or error}; name a file in a folder that exists") from None
