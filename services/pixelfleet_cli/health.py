"""`python -m pixelfleet_cli.health`: checks that the service in this container is alive, for the image's health check.

One image runs any service, so the ports that they have by default are all asked, and one that says yes is enough.
`PIXELFLEET_HEALTH_URL` names another address.
"""

import http.client
import os
import sys
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

DEFAULTS: Final = tuple(f"http://127.0.0.1:{port}/livez" for port in (4000, 3000, 8080, 3480))
"""Signalserver, matchmaker, router (and the demo), turn-api."""

SECONDS: Final = 3.0


def is_alive(url: str, seconds: float = SECONDS) -> bool:
    """Return whether an address answers with 200."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=seconds)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(urls: Iterable[str] = ()) -> int:
    """Return the exit code: 0 when one of the addresses says that it is alive."""
    named = os.environ.get("PIXELFLEET_HEALTH_URL")
    return 0 if any(map(is_alive, urls or ([named] if named else DEFAULTS))) else 1


if __name__ == "__main__":
    sys.exit(main())
