"""The RTCConfiguration in a `config` message: what a browser refuses in it, and how it is mended. No I/O.

A page hands the object to the constructor of RTCPeerConnection. For one invalid value the constructor throws, and the
page stays black. Unknown fields are ignored by browsers and stay.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from pixelfleet.protocol.ice_urls import IceUrlError, parse_ice_url

MAX_USERNAME_BYTES: Final = 509
"""The longest name of a TURN user (RFC 8489)."""

Options = dict[str, Any]


class Mended(NamedTuple):
    """An RTCConfiguration that every browser accepts."""

    options: Options
    faults: tuple[str, ...]
    """What was left out or changed, and why. The texts name fields and, of the values, at most a port."""
    relays: bool
    """Whether a TURN server is left."""


def mended(options: Mapping[str, Any]) -> Mended:
    """Return an RTCConfiguration without the parts that a browser refuses: fields, servers, URLs of a server."""
    faults: list[str] = []
    kept: Options = {}
    for name, value in options.items():
        if name == "iceServers":
            if type(value) is list:
                kept[name] = _servers(value, faults)
            else:
                faults.append("iceServers: must be a list")
        elif (fault := _fault_of(name, value)) is None:
            kept[name] = value
        else:
            faults.append(f"{name}: {fault}")
    relays = any(_relays(url) for server in kept.get("iceServers", ()) for url in _listed(server["urls"]))
    return Mended(kept, tuple(faults), relays)


def _fault_of(name: str, value: Any) -> str | None:
    """Return why a browser refuses a field, or None."""
    allowed = _CHOICES.get(name)
    if allowed is not None:
        return None if type(value) is str and value in allowed else f"must be {' or '.join(allowed)}"
    check = _CHECKS.get(name)
    return None if check is None else check(value)


_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "iceTransportPolicy": ("all", "relay"),
    "bundlePolicy": ("balanced", "max-compat", "max-bundle"),
    "rtcpMuxPolicy": ("require", "negotiate"),
}


def _pool_fault(value: Any) -> str | None:
    return None if type(value) is int and 0 <= value <= 255 else "must be 0 to 255"


def _certificates_fault(value: Any) -> str | None:
    return None if value == [] else "must be empty, because JSON cannot hold a certificate"


_CHECKS: Final[Mapping[str, Callable[[Any], str | None]]] = {
    "iceCandidatePoolSize": _pool_fault,
    "certificates": _certificates_fault,
}


def _servers(servers: list[Any], faults: list[str]) -> list[Options]:
    """Return the servers, or what is left of each."""
    kept = (_server(server, f"iceServers[{index}]", faults) for index, server in enumerate(servers))
    return [server for server in kept if server is not None]


def _server(server: Any, at: str, faults: list[str]) -> Options | None:
    """Return a server without its invalid URLs, or None if nothing is left; `at` is its place."""
    if type(server) is not dict:
        faults.append(f"{at}: must be an object")
        return None
    urls = _listed(server.get("urls"))
    if not urls:
        faults.append(f"{at}.urls: must be a URL or a list of URLs")
        return None
    good = [url for number, url in enumerate(urls) if _is_accepted(url, f"{at}.urls[{number}]", faults)]
    changed = {**server}
    if server.get("credentialType", "password") != "password":
        faults.append(f"{at}.credentialType: must be password")
        del changed["credentialType"]
    if any(map(_relays, good)) and not _has_credentials(changed, at, faults):
        good = [url for url in good if not _relays(url)]
    if len(good) != len(urls):
        changed["urls"] = good
    return changed if good else None


def _listed(urls: Any) -> list[Any]:
    """Return the URLs of a server as a list; empty if they are neither a text nor a list."""
    return [urls] if type(urls) is str else urls if type(urls) is list else []


def _is_accepted(url: Any, at: str, faults: list[str]) -> bool:
    """Return whether every browser accepts a URL; add the fault if not."""
    if type(url) is not str:
        faults.append(f"{at}: must be a text")
        return False
    try:
        refusal = parse_ice_url(url).refusal()
    except IceUrlError as error:
        refusal = str(error)
    if refusal is not None:
        faults.append(f"{at}: {refusal}")
    return refusal is None


def _relays(url: str) -> bool:
    return url[:4].lower() == "turn"


def _has_credentials(server: Options, at: str, faults: list[str]) -> bool:
    """Return whether a TURN server has usable credentials; write numbers as text, as browsers read them."""
    for name in ("username", "credential"):
        if type(server.get(name)) is int:
            faults.append(f"{at}.{name}: must be a text")
            server[name] = str(server[name])
        if type(server.get(name)) is not str or not server[name]:
            faults.append(f"{at}: a TURN server needs a username and a credential")
            return False
    if len(server["username"].encode("utf-8", "replace")) > MAX_USERNAME_BYTES:
        faults.append(f"{at}.username: must have at most {MAX_USERNAME_BYTES} bytes")
        return False
    return True
