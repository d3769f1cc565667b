"""Why a sign-in fails, with the page that says so. The texts are fixed: no answer of an issuer is shown."""

from base64 import b64encode
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from html import escape
from typing import Final

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a person reads, with the HTTP status of the page."""

    status: int
    title: str
    text: str
    action: str = "Sign in again"


class Problem(Enum):
    """The reasons for which a sign-in fails."""

    COOKIE = Explanation(
        400,
        "The sign-in could not be matched to this browser",
        "It was started in another tab, or this browser does not store cookies of this site.",
    )
    EXPIRED = Explanation(400, "The sign-in took too long", "Start it again and finish it within ten minutes.")
    REFUSED = Explanation(403, "You were not signed in", "The sign-in was cancelled or denied.")
    ANSWER = Explanation(
        502,
        "The sign-in service gave an unusable answer",
        "Try again. If that does not help, report this to the operator of this page.",
    )
    UNAVAILABLE = Explanation(
        503,
        "The sign-in service cannot be reached",
        "Try again in a few minutes. People who are signed in already are not affected.",
        "Try again",
    )
    ACCOUNT = Explanation(
        403,
        "Your account may not be used here",
        "It lacks a property that the operator of this page requires.",
        "Sign in with another account",
    )
    TOO_LONG = Explanation(
        403,
        "Your account has too many permissions",
        "They do not fit into a cookie. Report this to the operator of this page.",
        "Sign in with another account",
    )
    ROLE = Explanation(
        403,
        "Your account may not open the dashboard",
        "It lacks the role that the dashboard requires.",
        "Sign in with another account",
    )


class SignInFailedError(Exception):
    """A sign-in fails; the text is the reason for the log, and repeats no token."""

    def __init__(self, problem: Problem, why: str) -> None:
        super().__init__(why)
        self.problem = problem


_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
  background: light-dark(#f5f6f8, #0e1116); color: light-dark(#1b1f24, #e8eaed); }
main { max-width: 28rem; margin: 1.5rem; text-align: center; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 .75rem; }
p { margin: 0 0 1.5rem; }
a { display: inline-block; padding: .65rem 1.4rem; border-radius: .5rem; text-decoration: none; font-weight: 600;
  background: light-dark(#1f4fd8, #8fb0ff); color: light-dark(#fff, #0e1116); }
a:focus-visible { outline: 3px solid light-dark(#1b1f24, #e8eaed); outline-offset: 3px; }
"""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


def problem_page(problem: Problem, retry: str) -> web.Response:
    """Return the page of a problem; its button leads to the URL `retry`."""
    shown = problem.value
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(shown.title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(shown.title)}</h1><p>{escape(shown.text)}</p>"
        f'<a href="{escape(retry)}">{escape(shown.action)}</a></main></body></html>'
    )
    return web.Response(text=text, status=shown.status, content_type="text/html", headers=_HEADERS)
