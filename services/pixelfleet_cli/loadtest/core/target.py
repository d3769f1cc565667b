"""Which URLs a load test may have as targets. No I/O."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from pixelfleet.service.errors import UsageError
from pixelfleet.service.shown import shown_url

WEBSOCKET = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def websocket_url(option: str, url: str) -> str:
    """Return the websocket URL of a page or a websocket; raise UsageError for another URL."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in WEBSOCKET and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or "@" in parts.netloc or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(f"{option}: must be an http://, https://, ws:// or wss:// URL without a user")
    return parts._replace(scheme=WEBSOCKET[parts.scheme], path=parts.path or "/", fragment="").geturl()


def check_owner(option: str, url: str, *, owned: bool) -> None:
    """Raise UsageError unless the URL is on this machine, or the person has confirmed to own the target."""
    if not owned and not is_loopback(url):
        raise UsageError(
            f"{option}: {shown_url(url)} is not on this machine; a load test disturbs its players and costs money. Add "
            "--yes-i-own-it if the installation is yours"
        )


def is_loopback(url: str) -> bool:
    """Return whether the host of a URL is this machine. Names other than localhost may lead anywhere."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def with_query(url: str, query: dict[str, str]) -> str:
    """Return a URL with further parameters, whose values need no quotes."""
    if not query:
        return url
    added = "&".join(f"{name}={value}" for name, value in query.items())
    return f"{url}{'&' if '?' in url else '?'}{added}"
