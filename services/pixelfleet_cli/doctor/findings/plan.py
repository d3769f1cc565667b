"""The plan: the checks in their order, and the checks without which each one is pointless."""

from collections.abc import Mapping
from typing import Final

from pixelfleet_cli.doctor.findings.fleet import MACHINE, STREAMERS
from pixelfleet_cli.doctor.findings.model import Result, Severity
from pixelfleet_cli.doctor.findings.network import ADDRESS, CERTIFICATE, CONNECTION
from pixelfleet_cli.doctor.findings.offer import OFFER
from pixelfleet_cli.doctor.findings.page import CLOCK, PAGE
from pixelfleet_cli.doctor.findings.turn import TURN
from pixelfleet_cli.doctor.findings.websocket import IDLE, WEBSOCKET

NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    MACHINE: (),
    ADDRESS: (),
    CONNECTION: (ADDRESS,),
    CERTIFICATE: (CONNECTION,),
    PAGE: (CERTIFICATE,),
    CLOCK: (CERTIFICATE,),
    STREAMERS: (CERTIFICATE,),
    WEBSOCKET: (CERTIFICATE,),
    OFFER: (WEBSOCKET,),
    TURN: (),
    IDLE: (WEBSOCKET,),
}
"""Each check with those that must not have failed before it. A failed page does not stop the others: a page elsewhere
may dial the same websocket. The list is read before the doctor's own websockets count as waiting players."""


def blocked(check: str, results: Mapping[str, Result]) -> Result | None:
    """Return the result of a check that cannot be made after these results; None when it can."""
    for needed in NEEDS[check]:
        result = results.get(needed)
        if result is not None and (result.severity is Severity.ERROR or blocked(needed, results)):
            root = _root(needed, results)
            return Result(check, f"not checked: {root} failed", done=False, blocked_by=root)
    return None


def _root(check: str, results: Mapping[str, Result]) -> str:
    """Return the first check that failed."""
    return next((_root(each, results) for each in NEEDS[check] if blocked(check, results)), check)
