"""The paths of an application's REST API that players may call, and the URL of that API."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, unquote

from yarl import URL

MAX_PATH_LENGTH: Final = 1024

_WRITTEN: Final = re.compile(r"(?:[A-Za-z0-9/._~()+,-]|%[0-9A-Fa-f]{2})*")
"""The syntax of a path in a player's message."""

_SEGMENT: Final = re.compile(r"[A-Za-z0-9_~()+,-][A-Za-z0-9_~()+,. -]*")
"""A decoded segment. No leading dot or space, which excludes `..` and what some systems treat like it. No second layer
of escapes, and no character that a server could treat as a separator or parameter."""


class PathError(ValueError):
    """The text is not a valid path."""


def plain_path(action: str) -> str:
    """Return the decoded path of an action, with one leading slash; raise PathError when it is invalid.

    Paths with more than one interpretation are invalid: a scheme or host, a query, a fragment, empty and dot segments,
    escaped slashes, double escapes, control characters, characters outside ASCII.
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
    """The paths that players may call: exact ones, and prefixes marked by a trailing `*`. Empty by default."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Take patterns such as `/status` or `/remote/preset/*`; raise ValueError for an invalid one."""
        self._exact: set[str] = set()
        prefixes: set[str] = set()
        for pattern in patterns:
            if not pattern:
                raise ValueError("a path is empty; the root is /")
            try:
                path = plain_path(pattern.removesuffix("*"))
            except PathError:
                raise ValueError(f"{pattern[:80]!r} is not a path, nor one with a * at its end") from None
            (prefixes if pattern.endswith("*") else self._exact).add(path)
        self._prefixes = tuple(prefixes)

    def __contains__(self, path: str) -> bool:
        """Return whether a path from `plain_path` may be called."""
        return path in self._exact or path.startswith(self._prefixes)


def rest_endpoint(text: str) -> URL:
    """Return the URL of an application's REST API; raise ValueError when it is invalid."""
    url = URL(text)
    if url.scheme not in ("http", "https") or not url.host or url.query_string or url.fragment:
        raise ValueError("must be an http:// or https:// address without a query")
    return url


def url_for(base: URL, path: str) -> URL:
    """Return the URL of a path from `plain_path`, which is always below the base URL."""
    return base.with_path(base.raw_path.rstrip("/") + quote(path, safe="/~()+,"), encoded=True)
