"""The URL that is examined, and the URLs that the page derives from it. No I/O."""

import secrets
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from yarl import URL

from pixelfleet.service.errors import UsageError
from pixelfleet.service.shown import shown_url

SCHEMES: Final = ("http", "https")


@dataclass(frozen=True, slots=True)
class Target:
    """The URL of a page, with http or https."""

    url: URL

    @property
    def shown(self) -> str:
        """The URL without secrets, as it can be printed."""
        return "".join(char if char.isprintable() else "?" for char in shown_url(str(self.url)))

    @property
    def host(self) -> str:
        """The host."""
        return self.url.host or ""

    @property
    def port(self) -> int:
        """The port."""
        return self.url.port or 0

    @property
    def is_secure(self) -> bool:
        """Whether the page is served with TLS."""
        return self.url.scheme == "https"

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine; browsers trust such a page without TLS."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def origin(self) -> str:
        """The header `Origin` of a browser that shows the page."""
        return str(self.url.origin())

    @property
    def app(self) -> str:
        """The application that the page requests; empty for the default one."""
        return self.url.query.get("app", "")

    def beside(self, path: str) -> URL:
        """Return the URL of a path relative to the page, without the page's query."""
        return self.url.with_query(None).join(URL(path))

    def with_slash(self) -> "Target | None":
        """Return the page with a slash at the end of its path; None if it has one, or names a file."""
        if not self.url.name or "." in self.url.name:
            return None
        return Target(self.url.with_path(f"{self.url.path}/", keep_query=True))

    def websocket(self) -> URL:
        """Return the URL of the websocket that the page dials, with http or https."""
        return self.beside("ws").with_query(self.url.query)

    def websocket_that_waits(self) -> URL:
        """Return the URL of a websocket that gets no streamer: it requests one by an id that nobody has."""
        query = {name: value for name, value in self.url.query.items() if name not in ("address", "region", "version")}
        return self.beside("ws").with_query({**query, "id": f"doctor-{secrets.token_hex(4)}"})


def target_of(text: str, option: str = "URL") -> Target:
    """Return the target of a URL; raise UsageError, which names the option and does not repeat the URL."""
    try:
        url = URL(text)
        port = url.port
    except ValueError:
        raise UsageError(f"{option}: is not a valid URL") from None
    if url.scheme not in SCHEMES or not url.host or not port:
        raise UsageError(f"{option}: must be an http:// or https:// address")
    return Target(url.with_path(url.raw_path, encoded=True, keep_query=True))
