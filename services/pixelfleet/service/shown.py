"""Values as logs and errors show them."""

from urllib.parse import urlsplit


def shown_url(url: str) -> str:
    """Return a URL without user, password, query and fragment, which can be secrets; empty for an invalid one."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme and host and "@" not in parts.path else ""
