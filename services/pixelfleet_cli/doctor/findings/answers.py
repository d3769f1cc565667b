"""An HTTP answer as the doctor stores it, and the distinction of our refusals from those of proxies."""

from dataclasses import dataclass
from typing import Final

import msgspec

from pixelfleet.net.openapi import Error
from pixelfleet.service.shown import one_line
from pixelfleet_cli.doctor.findings import catalogue
from pixelfleet_cli.doctor.findings.model import Finding

MAX_SHOWN: Final = 120


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, with what a browser would use of it."""

    status: int
    body: bytes = b""
    """At most the first part of the body."""
    content_type: str = ""
    location: str = ""
    date: str = ""
    server: str = ""
    refusal: str = ""
    """The reason of our refusal; empty for an answer of another server."""
    sent: float = 0.0
    received: float = 0.0
    """Unix times of this machine, before the request and after the head of the answer."""

    @property
    def is_redirect(self) -> bool:
        """Whether the answer names another URL."""
        return self.status in (301, 302, 303, 307, 308) and bool(self.location)


def refusal_of(answer: Answer) -> Finding:
    """Return the finding for an answer that is an error."""
    by = f" from {one_line(answer.server, 40)}" if answer.server and not answer.refusal else ""
    reason = one_line(answer.refusal, MAX_SHOWN)
    text = error_text(answer.body)
    cause = f"HTTP {answer.status}{by}" + (f", {reason}" if reason else "") + (f": {text}" if text else "")
    if answer.status == 401:
        return Finding(catalogue.SIGN_IN_NEEDED, cause)
    return Finding(catalogue.REFUSED_BY_PIXELFLEET if answer.refusal else catalogue.REFUSED_BY_PROXY, cause)


def error_text(body: bytes) -> str:
    """Return the reason in a body of our form, `{"error": ...}`, or in a short plain text; empty for other bodies."""
    try:
        return one_line(msgspec.json.decode(body, type=Error).error, MAX_SHOWN)
    except (msgspec.DecodeError, RecursionError):
        text = body.decode("utf-8", "replace").strip()
    return one_line(text, MAX_SHOWN) if len(text) <= MAX_SHOWN and "<" not in text and "\n" not in text else ""
