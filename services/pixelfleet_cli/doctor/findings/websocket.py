"""Judges the upgrade to a websocket, and a websocket that was kept silent."""

from dataclasses import dataclass
from typing import Final

from pixelfleet.protocol.close_codes import ABNORMAL, label_of
from pixelfleet.service.shown import one_line
from pixelfleet_cli.doctor.findings import catalogue
from pixelfleet_cli.doctor.findings.answers import Answer, error_text, refusal_of
from pixelfleet_cli.doctor.findings.model import Finding, Result

WEBSOCKET: Final = "websocket"
IDLE: Final = "idle"

KEEPALIVE_SECONDS: Final = 25.0
"""An idle websocket should get a keepalive within this time: --ping-interval is 20 s by default."""

CUTS: Final = frozenset({label_of(ABNORMAL), label_of(1001), "other"})
"""Labels of ends that no service of ours causes, so that a proxy does."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The outcome of an attempt to open a websocket."""

    opened: bool = False
    broken: str = ""
    """Why the answer 101 is not a valid upgrade; empty for a valid one and for another answer."""
    answer: Answer | None = None
    """The answer, if it is not 101; None for no answer."""
    why: str = ""
    """The reason why there was no answer."""
    first: str = ""
    """The type of the first message; empty if none arrived."""
    close_code: int = 0
    """The code with which the server closed the websocket at once; 0 if it did not."""
    close_reason: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """A websocket on which the client sent nothing but pongs."""

    wanted: float
    """The time for which it should stay open, in seconds."""
    lived: float
    """The time for which it stayed open, in seconds."""
    keepalives: int
    """Pings of the server."""
    close_code: int = 0
    """The code of the end; 0 if it stayed open."""
    close_reason: str = ""


def judge_upgrade(upgrade: Upgrade) -> Result:
    """Return the result of the upgrade."""
    if upgrade.broken:
        return Result(WEBSOCKET, "HTTP 101", (Finding(catalogue.UPGRADE_BROKEN, upgrade.broken),))
    if upgrade.opened:
        return _opened(upgrade)
    answer = upgrade.answer
    if answer is None:
        return Result(WEBSOCKET, "no answer", (Finding(catalogue.NO_HTTP, upgrade.why),))
    return Result(WEBSOCKET, f"HTTP {answer.status} instead of an upgrade", (_refused(answer),))


def _refused(answer: Answer) -> Finding:
    text = error_text(answer.body)
    cause = f"HTTP {answer.status}" + (f": {text}" if text else "")
    if answer.status == 426:
        return Finding(catalogue.UPGRADE_EATEN, cause)
    if answer.status == 400:
        return Finding(catalogue.UPGRADE_BROKEN, cause)
    if answer.status in (200, 204, 404, 405) or answer.is_redirect:
        return Finding(catalogue.NOT_A_WEBSOCKET, cause)
    return refusal_of(answer)


def _opened(upgrade: Upgrade) -> Result:
    if upgrade.close_code and upgrade.first != "subscribeFailed":
        cause = ended(upgrade.close_code, upgrade.close_reason)
        return Result(WEBSOCKET, "opened and closed", (Finding(catalogue.WEBSOCKET_CLOSED, cause),))
    if not upgrade.first:
        cause = "A matchmaker or a signalling server sends its first message at once."
        return Result(WEBSOCKET, "opened", (Finding(catalogue.WEBSOCKET_SILENT, cause),))
    return Result(WEBSOCKET, f"opened, the server sends {one_line(upgrade.first, 40)}")


def judge_silence(silence: Silence) -> Result:
    """Return the result of an idle websocket."""
    times = f"{silence.keepalives} keepalive{'' if silence.keepalives == 1 else 's'}"
    if not silence.close_code:
        summary = f"lived {silence.wanted:.0f} s, {times}"
        if silence.keepalives or silence.wanted <= KEEPALIVE_SECONDS:
            return Result(IDLE, summary)
        cause = f"No ping in {silence.wanted:.0f} s."
        return Result(IDLE, summary, (Finding(catalogue.NO_KEEPALIVE, cause),))
    cause = f"{ended(silence.close_code, silence.close_reason)}, {silence.lived:.1f} s after it was opened."
    if label_of(silence.close_code) not in CUTS:
        kind = catalogue.WEBSOCKET_CLOSED
    else:
        kind = catalogue.CONNECTION_CUT if silence.keepalives else catalogue.IDLE_CUT
    return Result(IDLE, f"cut after {silence.lived:.0f} s, {times}", (Finding(kind, cause),))


def ended(code: int, reason: str) -> str:
    """Return the end of a websocket in words."""
    text = one_line(reason, 80)
    known = label_of(code).replace("_", " ")
    return f"Closed with {code} ({text or known})"
