"""`python -m pixelfleet_cli.health`: the health check of the container image.

The image can run any service, so the check tries the default port of each; one healthy answer is enough.
`PIXELFLEET_HEALTH_URL` sets another address.
"""

import http.client
import os
import sys
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

DEFAULTS: Final = tuple(f"http://127.0.0.1:{port}/livez" for port in (4000, 3000, 8080, 3480))
"""The signalserver, the matchmaker, the router (also of the demo) and the turn-api."""

TIMEOUT_SECONDS: Final = 3.0


def is_alive(url: str, seconds: float = TIMEOUT_SECONDS) -> bool:
    """Return whether a URL answers with 200 within `seconds`."""
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
    """Return the exit code: 0 when one of the URLs is alive."""
    url = os.environ.get("PIXELFLEET_HEALTH_URL")
    return 0 if any(map(is_alive, urls or ([url] if url else DEFAULTS))) else 1


if __name__ == "__main__":
    sys.exit(main())
