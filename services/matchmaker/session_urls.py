"""The URLs at which a matched player reaches its streamer. No I/O."""

from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import quote, urlencode

from pixelfleet.fleet.model import Lease
from pixelfleet.fleet.tokens import SessionToken, sign
from pixelfleet.net.addresses import url_address, url_host

NO_QUERY: Final[Mapping[str, str]] = {}


def session_url(lease: Lease, key: str | None, passed_on: Mapping[str, str] = NO_QUERY) -> str:
    """Return the websocket URL that a lease's player is dialled at.

    A server of ours finds a session ticket in it, signed with `key`; a stock one would not know what to do with that.
    """
    streamer = lease.streamer
    query = f"player={quote(lease.session_id, safe='')}"
    if passed_on:
        query += f"&{urlencode(passed_on)}"
    if key is not None and not streamer.legacy:
        role: Literal["player", "spectator"] = "spectator" if lease.spectator else "player"
        token = SessionToken(lease.session_id, streamer.server_id, streamer.endpoint_id, streamer.app, role)
        query += f"&session={sign(token, key)}"
    return f"{streamer.url}/?{query}"


def host_and_port(url: str) -> str:
    """Return a websocket URL's `host:port`, as the reference matchmaker tells it."""
    host, port = url_address(url)
    return f"{url_host(host)}:{port}"


def page_url(lease: Lease, key: str | None, path: str = "") -> str:
    """Return the URL of the page that a signalling server serves to browsers.

    Epic's page dials its own host, and with `?ss=` another URL: the one with the session's ticket.
    """
    streamer = lease.streamer
    scheme = "https" if streamer.url.startswith("wss:") else "http"
    url = f"{scheme}://{host_and_port(streamer.url)}/{path}"
    return url if streamer.legacy else f"{url}?ss={quote(session_url(lease, key), safe='')}"
