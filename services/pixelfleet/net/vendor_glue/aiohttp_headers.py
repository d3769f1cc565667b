"""Removes the versions of Python and aiohttp from the `Server` header of aiohttp's own answers.

An application can remove that header from its responses, but aiohttp answers malformed requests without the
application. There is no documented setting for the header.
"""

from typing import Final

from aiohttp import web_response

SERVER_HEADER: Final = "pixelfleet"


def hide_versions() -> None:
    """Replace the default value of the header, for this process."""
    web_response.SERVER_SOFTWARE = SERVER_HEADER  # type: ignore[attr-defined]  # imported there, not exported
