"""Judges the services of this machine, and the list of applications of a matchmaker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from matchmaker.http.schemas import App, Totals
from pixelfleet.service.shown import one_line
from pixelfleet_cli.doctor.findings import catalogue
from pixelfleet_cli.doctor.findings.answers import Answer, error_text
from pixelfleet_cli.doctor.findings.model import Finding, Result, not_done

MACHINE: Final = "machine"
STREAMERS: Final = "streamers"


@dataclass(frozen=True, slots=True)
class Service:
    """The answer of `/readyz` on the default port of a service."""

    name: str
    status: int
    """The HTTP status; 0 for no answer."""
    why: str = ""


class _Health(msgspec.Struct):
    status: str


def service_of(name: str, answer: Answer | None) -> Service:
    """Return the state of a service by its answer; None is no answer."""
    if answer is None:
        return Service(name, 0)
    try:
        return Service(name, answer.status, one_line(msgspec.json.decode(answer.body, type=_Health).status, 100))
    except (msgspec.DecodeError, RecursionError):
        return Service(name, 0)  # another program has the port


def judge_machine(services: Sequence[Service]) -> Result:
    """Return the result for the services of this machine."""
    ready = [service.name for service in services if service.status == 200]
    unready = [f"{service.name}: {service.why}" for service in services if service.status not in (0, 200)]
    summary = f"{', '.join(ready)} ready" if ready else "no service on a default port is ready"
    findings = tuple(Finding(catalogue.SERVICE_NOT_READY, cause) for cause in unready)
    return Result(MACHINE, summary, findings, done=bool(ready or unready))


def apps_of(answer: Answer | None, app: str) -> tuple[App, ...] | None:
    """Return the totals in a matchmaker's answer, of one application if `app` is not empty; None for another answer."""
    if answer is None or answer.status != 200:
        return None
    try:
        totals = msgspec.json.decode(answer.body, type=Totals).apps
    except (msgspec.DecodeError, RecursionError):
        return None
    return tuple(each for each in totals if not app or each.app == app)


def judge_list(answer: Answer | None, app: str, *, with_token: bool) -> Result:
    """Return the result of the request for the totals of applications, of one if `app` is not empty."""
    apps = apps_of(answer, app)
    if apps is None:
        status = "no answer" if answer is None else f"HTTP {answer.status} {error_text(answer.body)}".rstrip()
        if with_token:
            return Result(STREAMERS, "unknown", (Finding(catalogue.LIST_UNREADABLE, status),))
        is_closed = answer is not None and answer.status in (401, 403)
        return not_done(STREAMERS, "the list needs --token-file" if is_closed else f"no list: {status}")
    streamers, free = sum(each.streamers for each in apps), sum(each.available for each in apps)
    waiting, aside = sum(each.waiting for each in apps), sum(each.aside for each in apps)
    findings = []
    wanted = f"The application {one_line(app, 63)}" if app else "The fleet"
    if not streamers:
        findings.append(Finding(catalogue.NO_STREAMER, f"{wanted} has no streamer that is ready; {waiting} wait."))
    elif not free:
        findings.append(Finding(catalogue.NONE_FREE, f"{wanted} has {streamers}, all taken; {waiting} wait."))
    if aside:
        findings.append(Finding(catalogue.QUARANTINED, f"{wanted} has {aside} in quarantine."))
    return Result(STREAMERS, f"{streamers} ready, {free} free, {waiting} waiting", tuple(findings))
