"""Judges the ICE servers that players get, and the probes of them."""

from collections.abc import Sequence
from typing import Final

from pixelfleet.service.shown import one_line
from pixelfleet_cli.doctor.findings import catalogue
from pixelfleet_cli.doctor.findings.answers import Answer, error_text
from pixelfleet_cli.doctor.findings.model import Finding, Result
from turnapi.check.plan import UNAUTHORIZED, Probe
from turnapi.check.plan import Result as Probed

TURN: Final = "turn"

MAX_PROBES: Final = 32
"""The most servers and transports that the doctor probes: the list comes from the server."""

SHOWN: Final = 3


def chosen(probes: Sequence[Probe]) -> list[Probe]:
    """Return the probes to run: TURN before STUN, at most MAX_PROBES."""
    return sorted(probes, key=lambda probe: probe.transport == "STUN")[:MAX_PROBES]


def judge_no_answer(answer: Answer | None, why: str) -> Result:
    """Return the result when the TURN API gave no list."""
    cause = why if answer is None else f"HTTP {answer.status} {error_text(answer.body)}".rstrip()
    return Result(TURN, "unknown", (Finding(catalogue.TURN_API_FAILED, cause),))


def judge_unusable(why: str) -> Result:
    """Return the result for a list of ICE servers that browsers refuse."""
    return Result(TURN, "unusable", (Finding(catalogue.ICE_UNUSABLE, one_line(why, 200)),))


def judge_none(*, is_loopback: bool) -> Result:
    """Return the result for a configuration without any server."""
    if is_loopback:
        return Result(TURN, "no server, and none is needed on this machine")
    return Result(TURN, "no server", (Finding(catalogue.TURN_NONE, "The list of ICE servers is empty."),))


def judge_probes(results: Sequence[Probed]) -> Result:
    """Return the result of the probes."""
    relays = [result for result in results if result.probe.transport != "STUN"]
    if not relays:
        stun = ", ".join(dict.fromkeys(result.probe.server for result in results))
        return Result(TURN, "STUN only", (Finding(catalogue.TURN_NONE, f"The list has only STUN: {one_line(stun)}."),))
    failed = [result for result in results if result.failure]
    relaying = [result for result in relays if not result.failure]
    summary = f"{len(relaying)} of {len(relays)} relay"
    if relaying:
        fastest = min(relaying, key=lambda result: result.seconds)
        summary += f", {fastest.probe.server} {fastest.probe.transport} in {1000 * fastest.seconds:.0f} ms"
    if not failed:
        return Result(TURN, summary)
    refused = [result for result in failed if result.failure == UNAUTHORIZED]
    if refused:
        return Result(TURN, summary, (Finding(catalogue.TURN_CREDENTIALS, _some(refused)),))
    kind = catalogue.TURN_PARTLY if relaying else catalogue.TURN_FAILED
    return Result(TURN, summary, (Finding(kind, _some(failed)),))


def _some(results: Sequence[Probed]) -> str:
    causes = [f"{each.probe.server} {each.probe.transport}: {each.failure}" for each in results]
    more = len(causes) - SHOWN
    return one_line("; ".join(causes[:SHOWN]) + (f"; and {more} more" if more > 0 else ""), 400)
