"""A tracing that remembers its spans, for tests without the SDK."""

from dataclasses import dataclass, field
from typing import Any

from pixelfleet.service.tracing import NO_ATTRIBUTES, Attributes, Kind


@dataclass(eq=False)
class Recorded:
    """One span; times are those of the test's clock."""

    tracing: "RecordingTracing"
    name: str
    attributes: dict[str, Any]
    parent: "Recorded | str"
    """The span that it is in, or the `traceparent` of a remote one; empty for a root."""
    begin: int
    ended_at: int | None = None
    error: str = ""
    events: list[tuple[str, Attributes]] = field(default_factory=list)

    @property
    def traceparent(self) -> str:
        number = self.tracing.spans.index(self) + 1
        return f"00-{'a' * 32}-{number:016x}-01"

    def child(
        self,
        name: str,
        attributes: Attributes = NO_ATTRIBUTES,
        *,
        kind: Kind = Kind.INTERNAL,
        parent: str = "",
        at: int | None = None,
    ) -> "Recorded":
        return self.tracing.add(name, attributes, parent or self, at)

    def event(self, name: str, attributes: Attributes = NO_ATTRIBUTES) -> None:
        self.events.append((name, attributes))

    def set(self, attributes: Attributes) -> None:
        self.attributes.update(attributes)

    def end(self, attributes: Attributes = NO_ATTRIBUTES, *, error: str = "", at: int | None = None) -> None:
        if self.ended_at is None:
            self.attributes.update(attributes)
            self.error, self.ended_at = error, self.tracing.time if at is None else at


@dataclass
class RecordingTracing:
    """Remembers all spans in the order of their beginnings; the test sets `time`."""

    enabled: bool = True
    time: int = 0
    spans: list[Recorded] = field(default_factory=list)

    def begin(self, name: str, attributes: Attributes = NO_ATTRIBUTES, *, parent: str = "") -> Recorded:
        return self.add(name, attributes, parent, None)

    def now(self) -> int:
        return self.time

    def add(self, name: str, attributes: Attributes, parent: Recorded | str, at: int | None) -> Recorded:
        span = Recorded(self, name, dict(attributes), parent, self.time if at is None else at)
        self.spans.append(span)
        return span

    def one(self, name: str) -> Recorded:
        """Return the only span of a name."""
        [span] = [span for span in self.spans if span.name == name]
        return span

    def names(self) -> list[str]:
        return [span.name for span in self.spans]

    def times(self, name: str) -> tuple[int, int | None]:
        """Return the beginning and the end of the only span of a name."""
        span = self.one(name)
        return span.begin, span.ended_at
