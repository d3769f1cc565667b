"""Judges the page, the files that it loads, and the clock of its server."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from pixelfleet_cli.doctor.findings import catalogue
from pixelfleet_cli.doctor.findings.answers import Answer, refusal_of
from pixelfleet_cli.doctor.findings.model import Finding, Result, not_done

PAGE: Final = "page"
CLOCK: Final = "clock"

MAX_ASSETS: Final = 24
"""The most files of a page that are requested."""

SHOWN_ASSETS: Final = 3

SKEW_SECONDS: Final = 30.0
"""The smallest difference of clocks that is a finding: --jwt-leeway is 30 s by default, that of our tokens 60 s."""

DATE_STEP_SECONDS: Final = 1.0
"""The header `Date` has whole seconds."""

_TAG: Final = re.compile(r"<(script|link)\s([^<>]*)>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(r"""([a-zA-Z-]{1,32})\s*=\s*("[^"]*"|'[^']*'|[^\s"'=]+)""")
_SCRIPT_TYPES: Final = ("javascript", "ecmascript")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that the page loads."""

    path: str
    """The path as it can be printed."""
    is_style: bool
    status: int
    """The HTTP status; 0 for no answer."""
    content_type: str = ""


def files_of(body: bytes) -> list[tuple[str, bool]]:
    """Return the references of the scripts and styles of a page, each with whether it is a style.

    The page is untrusted: the time is linear in its length, which that of `html.parser` is not, and nothing is raised.
    """
    first, *rest = body.decode("utf-8", "replace").split("<!--")
    text = first + "".join(each.partition("-->")[2] for each in rest)
    found: dict[tuple[str, bool], None] = {}
    for tag in _TAG.finditer(text):
        values = {name.lower(): html.unescape(value.strip("\"'")) for name, value in _ATTRIBUTE.findall(tag[2])}
        is_script, relation = tag[1].lower() == "script", values.get("rel", "").lower()
        reference = values.get("src" if is_script else "href", "")
        if reference and (is_script or relation in ("stylesheet", "modulepreload")):
            found[reference, relation == "stylesheet"] = None
            if len(found) == MAX_ASSETS:
                break
    return list(found)


def judge_page(answer: Answer | None, why: str, assets: Sequence[Asset], *, works_with_slash: bool) -> Result:
    """Return the result of the page.

    `answer` is None when there was none, for the reason `why`. `works_with_slash` is whether the files exist when a
    slash is appended to the path of the page.
    """
    if answer is None:
        return Result(PAGE, "no answer", (Finding(catalogue.NO_HTTP, why),))
    if answer.is_redirect:
        return Result(PAGE, f"HTTP {answer.status}", (Finding(catalogue.REDIRECT_LOOP, "The last one is to itself."),))
    if answer.status != 200:
        return Result(PAGE, f"HTTP {answer.status}", (refusal_of(answer),))
    scripts = [asset for asset in assets if not asset.is_style]
    if not scripts:
        return Result(PAGE, "HTTP 200", (Finding(catalogue.NOT_A_PLAYER_PAGE, "The document has no script."),))
    summary = f"HTTP 200, {len(assets)} file{'' if len(assets) == 1 else 's'}"
    missing = [f"{asset.path}: HTTP {asset.status or 'has no answer'}" for asset in assets if asset.status != 200]
    if missing:
        kind = catalogue.SLASH_MISSING if works_with_slash else catalogue.ASSETS_MISSING
        return Result(PAGE, summary, (Finding(kind, _some(missing)),))
    wrong = [f"{asset.path} is {asset.content_type or 'without type'}" for asset in assets if not _loads(asset)]
    if wrong:
        return Result(PAGE, summary, (Finding(catalogue.ASSETS_WRONG_TYPE, _some(wrong)),))
    return Result(PAGE, summary)


def judge_clock(date: str, sent: float, received: float) -> Result:
    """Return the result of the header `Date` of an answer, with the unix times of this machine around it."""
    try:
        server = parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return not_done(CLOCK, "the server sends no usable Date")
    # The truth is within the second that starts at `Date`, and within the time of the request.
    ahead = server - received
    behind = sent - (server + DATE_STEP_SECONDS)
    skew = ahead if ahead > 0 else -behind if behind > 0 else 0.0
    if not skew:
        return Result(CLOCK, "same as here, within a second")
    summary = f"{_duration(abs(skew))} {'ahead of' if skew > 0 else 'behind'} this machine's"
    if abs(skew) < SKEW_SECONDS:
        return Result(CLOCK, summary)
    early_or_late = "early" if skew > 0 else "late"
    effect = f"Links and tokens that are signed here expire there {_duration(abs(skew))} too {early_or_late}."
    return Result(CLOCK, summary, (Finding(catalogue.CLOCK_DIFFERS, effect),))


def _loads(asset: Asset) -> bool:
    kind = asset.content_type.lower()
    return kind == "text/css" if asset.is_style else any(word in kind for word in _SCRIPT_TYPES)


def _some(causes: Sequence[str]) -> str:
    more = len(causes) - SHOWN_ASSETS
    return "; ".join(causes[:SHOWN_ASSETS]) + (f"; and {more} more" if more > 0 else "")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"
