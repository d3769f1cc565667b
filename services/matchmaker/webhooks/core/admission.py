"""The question to an admission webhook and its answer. No I/O."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from matchmaker.join_request import NAME, JoinRequest
from pixelfleet.fleet.bounds import MAX_PRIORITY
from pixelfleet.fleet.limits import SessionLimits

TYPE: Final[Literal["session.admission"]] = "session.admission"

Text = Annotated[str, Meta(max_length=256)]
Parameter = Annotated[str, Meta(max_length=64)]


class AdmissionQuestion(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A player that asks to be admitted, as the data of the request to the webhook."""

    app: str
    wants: str = ""
    labels: dict[str, str] = {}
    spectator: bool = False
    priority: int = 0
    launch: dict[str, str] = {}
    """Launch parameters of the player's URL, by name."""
    address: str = ""
    subject: str = ""
    method: str = ""
    """How the player was authenticated."""
    roles: list[str] = []
    person: str = ""
    """A digest of what identifies the player across sessions."""
    session: str = ""


class AdmissionMessage(msgspec.Struct, frozen=True):
    """The body of a request to the admission webhook."""

    id: str
    type: Literal["session.admission"]
    timestamp: str
    data: AdmissionQuestion


class AdmissionAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer of the webhook. What is absent stays as the player requested it; further fields are ignored."""

    decision: Literal["allow", "deny"]
    reason: Text = ""
    """Shown to a player that is denied."""
    app: Text | None = None
    labels: Annotated[dict[Parameter, Parameter], Meta(max_length=16)] | None = None
    """In place of those of the player."""
    priority: Annotated[int, Meta(ge=0, le=MAX_PRIORITY)] | None = None
    launch: Annotated[dict[Parameter, Parameter], Meta(max_length=16)] | None = None
    """In place of those of the player."""
    session_seconds: Annotated[float, Meta(ge=0, le=31_536_000)] | None = None
    """In place of --session-seconds of the signalling server; 0 is no limit."""
    idle_seconds: Annotated[float, Meta(ge=0, le=31_536_000)] | None = None
    """In place of --idle-seconds; 0 is no limit."""

    @property
    def limits(self) -> SessionLimits | None:
        """The limits of the session; None for those of the server."""
        if self.session_seconds is None and self.idle_seconds is None:
            return None
        return SessionLimits(self.session_seconds, self.idle_seconds)


_decode: Final = msgspec.json.Decoder(AdmissionAnswer).decode


def answer_of(body: bytes) -> AdmissionAnswer:
    """Return the answer in a body. Raises ValueError for one that is not valid."""
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the answer is not valid: {error}") from None
    for name, value in [("app", answer.app or "app"), *(answer.labels or {}).items()]:
        if not NAME.fullmatch(value):
            raise ValueError(f"the answer is not valid: {name} is not a name")
    if not answer.reason.isprintable():
        raise ValueError("the answer is not valid: the reason is not printable")
    return answer


def changed_request(request: JoinRequest, answer: AdmissionAnswer, labels: Collection[str]) -> JoinRequest:
    """Return a player's request with what the webhook has decided. Raises ValueError for an unknown label.

    `labels` are the names of the labels that the settings allow.
    """
    chosen = request.labels if answer.labels is None else answer.labels
    if unknown := sorted(chosen.keys() - set(labels)):
        raise ValueError(f"the answer has the label {unknown[0]}, which is not in --labels")
    return replace(request, app=answer.app or request.app, labels={} if request.wants else dict(chosen))


def changed_parameters(forwarded: Mapping[str, str], answer: AdmissionAnswer, prefix: str) -> dict[str, str]:
    """Return the forwarded query parameters with the launch parameters of an answer in place of the player's."""
    if answer.launch is None:
        return dict(forwarded)
    others = {name: value for name, value in forwarded.items() if not name.startswith(prefix)}
    return {**others, **{prefix + name: value for name, value in answer.launch.items()}}
