"""The version of the installed distribution; `pyproject.toml` is its only source."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final


def _installed_version() -> str:
    try:
        return version("pixelfleet")
    except PackageNotFoundError:  # run from a source tree without installation
        return "0+unknown"


VERSION: Final = _installed_version()
