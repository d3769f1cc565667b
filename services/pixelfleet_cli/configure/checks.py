"""Checks of the values of an installation, each for one form of text. No I/O."""

import re
import shlex
from collections.abc import Callable
from ipaddress import IPv4Network, ip_network
from typing import Final
from urllib.parse import urlsplit

from pixelfleet.auth.htpasswd import read_users

Check = Callable[[str], str]
"""Returns a normalized value; raises ValueError with the requirement."""

MIN_SECRET_BYTES: Final = 16
MIN_KEY_BYTES: Final = 32
MAX_HOST_LENGTH: Final = 253
MIN_PREFIX_LENGTH: Final = 8

_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


def matching(pattern: str, must_be: str) -> Check:
    """Return a check for a pattern, with the requirement as text."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(f"must be {must_be}")
        return value

    return check


def one_of(*allowed: str) -> Check:
    """Return a check for a set of words."""
    return matching("|".join(map(re.escape, allowed)), " or ".join(allowed))


def count(value: str) -> str:
    """Check a number of streams."""
    if not re.fullmatch(r"[0-9]{1,5}", value):
        raise ValueError("must be a number from 0 to 99999")
    return str(int(value))


def path(value: str) -> str:
    """Check a path prefix; `/` becomes empty."""
    stripped = value.rstrip("/")
    if stripped and not re.fullmatch(r"(/(?!\.+(/|$))[A-Za-z0-9._~-]+)+", stripped):
        raise ValueError("must be a path such as /game")
    return stripped


def network(value: str) -> str:
    """Check an IPv4 network."""
    try:
        found = ip_network(value)
    except ValueError:
        found = None
    if not isinstance(found, IPv4Network):
        raise ValueError("must be a network such as 10.244.0.0/16")
    if found.prefixlen < MIN_PREFIX_LENGTH:
        raise ValueError(f"must be no larger than a /{MIN_PREFIX_LENGTH}: players can send to all of it through TURN")
    return str(found)


def host(value: str) -> str:
    """Check a host name for an Ingress, which is not an address."""
    labels = value.split(".")
    is_name = len(value) <= MAX_HOST_LENGTH and len(labels) > 1 and not labels[-1].isdecimal()
    if not is_name or not all(re.fullmatch(_LABEL, label) for label in labels):
        raise ValueError("must be a host name such as play.example.com")
    return value


def redis_url(value: str) -> str:
    """Check the URL of a Redis."""
    try:
        url = urlsplit(value)
        valid = url.scheme in ("redis", "rediss", "redis+sentinel") and bool(url.hostname)
    except ValueError:  # unclosed brackets
        valid = False
    if not valid or not _is_one_word(value):
        raise ValueError("must be a redis://, rediss:// or redis+sentinel:// address")
    return value


def users(value: str) -> str:
    """Check comma-separated htpasswd lines."""
    try:
        found = read_users(value.split(","), "admin")
    except ValueError as error:
        raise ValueError(f"must be comma-separated htpasswd lines: {error}") from None
    if not found or not value.isprintable():
        raise ValueError("must be comma-separated htpasswd lines")
    return value


def secret(value: str) -> str:
    """Check a secret that attackers can guess offline."""
    if len(value.encode("utf-8", "replace")) < MIN_SECRET_BYTES or not _is_one_word(value):
        raise ValueError(f"must have at least {MIN_SECRET_BYTES} bytes, and no spaces")
    return value


def link_key(value: str) -> str:
    """Check a key of signed links, which are signed with HMAC-SHA256."""
    if len(value.encode("utf-8", "replace")) < MIN_KEY_BYTES or not _is_one_word(value):
        raise ValueError(f"must have at least {MIN_KEY_BYTES} bytes, and no spaces")
    return value


def _is_one_word(value: str) -> bool:
    """Return whether a value is a single word, which cannot be misread as several lines of a file."""
    return value.isprintable() and " " not in value


namespace = matching(_LABEL, "a name of lower-case letters, digits and dashes")
object_name = matching(
    rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*", "a name of lower-case letters, digits, dashes and dots"
)
repository = matching(
    r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*", "a registry and path"
)
image_name = matching(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*", "an image's name")
tag = matching(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|sha256:[0-9a-f]{64}", "an image's tag or its sha256 digest")
anything = matching(r"(?s).*", "anything")
image = matching(
    r"(?=.{1,400}$)[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*"
    r"(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})",
    "an image with its tag or digest, such as registry.example.com/game:1.0",
)
word = matching(r"[A-Za-z0-9]([A-Za-z0-9._:/-]{0,252}[A-Za-z0-9])?", "a word of letters, digits, dots, dashes, : and /")
gpu = matching(r"limit|share|mig-[a-z0-9]+(\.[a-z0-9]+)*", "limit, share or a MIG profile such as mig-1g.5gb")
percent = matching(r"[1-9][0-9]?", "a percentage from 1 to 99")
application = matching(r"[a-z]([-a-z0-9]{0,28}[a-z0-9])?", "a name of lower-case letters, digits and dashes")


def words(check: Check) -> Check:
    """Return a check for a comma-separated list of different words."""

    def checked(value: str) -> str:
        found = [check(each) for each in value.split(",")]
        if len(set(found)) < len(found):
            raise ValueError("must be a list without repetition")
        return ",".join(found)

    return checked


def labels(value: str) -> str:
    """Check comma-separated NAME=VALUE pairs of a streamer's labels."""
    for pair in value.split(","):
        name, _, text = pair.partition("=")
        if not all(re.fullmatch(r"[A-Za-z0-9._-]{1,63}", each) for each in (name, text)):
            raise ValueError("must be NAME=VALUE pairs of 1 to 63 letters, digits, dots, dashes and underscores")
    return value


def arguments(value: str) -> str:
    """Check command-line arguments, quoted as in a shell; Kubernetes would expand $(NAME) in them."""
    try:
        found = shlex.split(value)
    except ValueError:  # an open quote
        found = []
    if not found or not value.isprintable() or "$(" in value:
        raise ValueError("must be arguments as in a shell, without $(")
    return value


def url(value: str) -> str:
    """Check the address of an issuer of tokens."""
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # unclosed brackets, or a port that is no number
        valid = False
    if not valid or not _is_one_word(value):
        raise ValueError("must be an http or https address")
    return value


def folder(value: str) -> str:
    """Check the path of a folder."""
    if not value.isprintable():
        raise ValueError("must be the path of a folder")
    return value
