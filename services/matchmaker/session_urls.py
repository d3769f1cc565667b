"""The URLs of a matched player's streamer. No I/O."""

from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import quote, urlencode

from pixelfleet.fleet import resume
from pixelfleet.fleet.limits import SessionLimits
from pixelfleet.fleet.model import Lease
from pixelfleet.fleet.resume import ResumeToken, resume_key
from pixelfleet.fleet.returning import RESUME
from pixelfleet.fleet.tokens import SessionToken, sign
from pixelfleet.net.addresses import url_address, url_host
from pixelfleet.protocol.people import Invite

NO_QUERY: Final[Mapping[str, str]] = {}


def session_url(
    lease: Lease,
    key: str | None,
    passed_on: Mapping[str, str] = NO_QUERY,
    limits: SessionLimits | None = None,
    *,
    seconds: float = 0.0,
    invite: Invite | None = None,
) -> str:
    """Return the websocket URL to dial for a lease.

    It has a session token, signed with `key`, unless there is no key or the streamer belongs to a legacy server.
    `passed_on` are further query parameters. Only a token carries the rest: `limits` of the session, `seconds`, the
    longest time that its person may still play, or 0 without a limit, and the `invite` to another player's session.
    """
    streamer = lease.streamer
    query = f"player={lease.session_id}"  # hexadecimal
    if passed_on:
        query += f"&{urlencode(passed_on)}"
    if key is not None and not streamer.legacy:
        token = SessionToken(
            lease.session_id,
            streamer.server_id,
            streamer.endpoint_id,
            streamer.app,
            invite.role if invite is not None else "spectator" if lease.spectator else "player",
            limits,
            seconds,
            invite,
            lease.spectator,
        )
        query += f"&session={sign(token, key)}"
    return f"{streamer.url}/?{query}"


def return_url(lease: Lease, key: str, passed_on: Mapping[str, str] = NO_QUERY) -> str:
    """Return the websocket URL to dial for a page that returns to the session of a held lease, to negotiate again.

    It has a resume token that is signed with the session key.
    """
    streamer = lease.streamer
    role: Literal["player", "spectator"] = "spectator" if lease.spectator else "player"
    token = ResumeToken(lease.session_id, streamer.server_id, streamer.url, streamer.app, "", role)
    query = {**passed_on, RESUME: resume.sign(token, resume_key(key)), "fresh": "1"}
    return f"{streamer.url}/?{urlencode(query)}"


def host_and_port(url: str) -> str:
    """Return the `host:port` of a websocket URL, in the format of the reference matchmaker."""
    host, port = url_address(url)
    return f"{url_host(host)}:{port}"


def page_url(
    lease: Lease,
    key: str | None,
    path: str = "",
    passed_on: Mapping[str, str] = NO_QUERY,
    limits: SessionLimits | None = None,
) -> str:
    """Return the URL of the page that a signalling server serves to browsers.

    The stock page dials its own host, or the URL in `?ss=`: there, the one with the session token.
    """
    streamer = lease.streamer
    scheme = "https" if streamer.url.startswith("wss:") else "http"
    url = f"{scheme}://{host_and_port(streamer.url)}/{path}"
    return url if streamer.legacy else f"{url}?ss={quote(session_url(lease, key, passed_on, limits), safe='')}"
