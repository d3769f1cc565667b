"""Values as logs, errors and terminals show them."""

from urllib.parse import urlsplit

ONE_LINE_LENGTH = 300


def shown_url(url: str) -> str:
    """Return a URL without user, password, query and fragment, which can be secrets; empty for an invalid one."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme and host and "@" not in parts.path else ""


def one_line(text: str, limit: int = ONE_LINE_LENGTH) -> str:
    """Return text of another program as at most `limit` characters of one line, without control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * limit]).split())[:limit]
