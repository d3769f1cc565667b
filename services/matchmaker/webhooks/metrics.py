"""The metrics of webhooks. Only the replica with the lead over a webhook has values of it that grow."""

from collections.abc import Callable
from typing import Final, Literal, Protocol, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge

Admitted = Literal["allow", "deny", "failed"]
ADMITTED: Final[tuple[Admitted, ...]] = get_args(Admitted)


class Deliveries(Protocol):
    """What the gauges of one webhook show."""

    @property
    def pending(self) -> int:
        """The number of events that are not delivered."""

    @property
    def delay(self) -> float:
        """How long the first of them has waited, in seconds."""


class OneWebhook:
    """The metrics of one webhook."""

    def __init__(self, ok: Counter, failed: Counter, dead: Counter, lost: Counter) -> None:
        self._ok = ok
        self._failed = failed
        self._dead = dead
        self._lost = lost

    def delivered(self) -> None:
        """Count a successful request."""
        self._ok.inc()

    def failed(self, *, given_up: bool) -> None:
        """Count a failed request, and its event if that is given up."""
        self._failed.inc()
        if given_up:
            self._dead.inc()

    def lost(self, events: int) -> None:
        """Count events that were lost before they were read."""
        self._lost.inc(events)


class WebhookMetrics:
    """The metrics of all webhooks of one replica."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, ["webhook"], registry=registry)

        self._requests = counter(
            "matchmaker_webhook_requests", "Requests with events, by outcome.", "webhook", "outcome"
        )
        self._dead = counter(
            "matchmaker_webhook_dead_letters", "Events that were given up after failed requests.", "webhook"
        )
        self._lost = counter(
            "matchmaker_webhook_events_lost",
            "Events that were lost before they were read: the queue was too short, or the store was reset.",
            "webhook",
        )
        self._pending = gauge("matchmaker_webhook_events_pending", "Events that are not delivered yet.")
        self._delay = gauge(
            "matchmaker_webhook_delay_seconds", "Waiting time of the first event that is not delivered."
        )
        admissions = counter(
            "matchmaker_admission_answers", "Questions to the admission webhook, by answer.", "outcome"
        )
        self._admissions = {outcome: admissions.labels(outcome) for outcome in ADMITTED}

    def of(self, name: str, deliveries: Deliveries) -> OneWebhook:
        """Return the metrics of one webhook, whose gauges show these deliveries."""
        pending: Callable[[], float] = lambda: deliveries.pending  # noqa: E731 - has a type this way
        self._pending.labels(name).set_function(pending)
        self._delay.labels(name).set_function(lambda: deliveries.delay)
        return OneWebhook(
            self._requests.labels(name, "ok"),
            self._requests.labels(name, "failed"),
            self._dead.labels(name),
            self._lost.labels(name),
        )

    def admitted(self, outcome: Admitted) -> None:
        """Count a question to the admission webhook."""
        self._admissions[outcome].inc()
