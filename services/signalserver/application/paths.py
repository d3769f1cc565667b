"""Which paths of an application's REST API players may call, and the address of that API."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, unquote

from yarl import URL

MAX_PATH_LENGTH: Final = 1024

_WRITTEN: Final = re.compile(r"(?:[A-Za-z0-9/._~()+,-]|%[0-9A-Fa-f]{2})*")
"""A path as a player may write it."""

_SEGMENT: Final = re.compile(r"[A-Za-z0-9_~()+,-][A-Za-z0-9_~()+,. -]*")
"""What may stand between two slashes, once decoded. No leading dot or space: `..` and all that some system takes for
it. No second layer of escapes, and nothing that a server could take for a separator or a parameter."""


class PathError(ValueError):
    """Not a path that could be called on the application."""


def plain_path(action: str) -> str:
    """Return the decoded path that an action means, with one slash at its head; raise PathError for what is no path.

    It is strict rather than clever. What cannot be written here in one way only is refused: a scheme or a host, a
    query, a fragment, empty and dot segments, escaped slashes and escapes of escapes, control characters, other
    alphabets.
    """
    if len(action) > MAX_PATH_LENGTH or not _WRITTEN.fullmatch(action):
        raise PathError("not a path")
    path = action.removeprefix("/")
    if not path:
        return "/"
    segments = [unquote(segment) for segment in path.removesuffix("/").split("/")]
    if not all(_SEGMENT.fullmatch(segment) for segment in segments):
        raise PathError("not a path")
    return "/" + "/".join(segments) + ("/" if path.endswith("/") else "")


class AllowedPaths:
    """The paths that players may call: exact ones, and beginnings marked by a trailing `*`. None means none."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Take patterns such as `/status` or `/remote/preset/*`; raise ValueError for one that can match nothing."""
        self._exact: set[str] = set()
        beginnings: set[str] = set()
        for pattern in patterns:
            if not pattern:
                raise ValueError("a path is empty; the root is /")
            try:
                path = plain_path(pattern.removesuffix("*"))
            except PathError:
                raise ValueError(f"{pattern[:80]!r} is not a path, nor one with a * at its end") from None
            (beginnings if pattern.endswith("*") else self._exact).add(path)
        self._beginnings = tuple(beginnings)

    def __contains__(self, path: str) -> bool:
        """Tell whether a path of `plain_path` may be called."""
        return path in self._exact or path.startswith(self._beginnings)


def rest_endpoint(text: str) -> URL:
    """Return the address of an application's REST API; raise ValueError when it is none."""
    url = URL(text)
    if url.scheme not in ("http", "https") or not url.host or url.query_string or url.fragment:
        raise ValueError("must be an http:// or https:// address without a query")
    return url


def url_for(base: URL, path: str) -> URL:
    """Return where a path of `plain_path` is called: below the base, whatever it says."""
    return base.with_path(base.raw_path.rstrip("/") + quote(path, safe="/~()+,"), encoded=True)
