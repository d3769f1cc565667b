"""What all players of a replica share."""

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from matchmaker.broker import Broker
from matchmaker.legacy.known_dialects import LegacyDialects
from matchmaker.metrics import Metrics
from pixelfleet.fleet.model import StreamerReport
from pixelfleet.net.bounds import Bounds
from pixelfleet.net.dial import DialError
from pixelfleet.net.early_budget import EarlyBudget
from pixelfleet.service.lifecycle import Tasks

if TYPE_CHECKING:
    from matchmaker.player import Player


class Context(Protocol):
    """What all players of a replica share; `Players` implements it."""

    broker: Broker
    tasks: Tasks
    metrics: Metrics
    upstream_bounds: Bounds
    early_budget: EarlyBudget
    session_key: str | None
    handover_key: bytes
    """Signs the destinations of routers; empty without a session key."""
    confirm_seconds: float
    """The time for the first message of a page after its player is connected to a streamer; 0 is no limit."""
    now: Callable[[], float]
    """The loop's clock."""
    tls: ssl.SSLContext | None
    dialects: LegacyDialects

    def forget(self, player: "Player") -> None:
        """Remove a player whose socket is closed."""

    def dialled(self, streamer: StreamerReport, error: DialError | None) -> None:
        """Record the outcome of a dial."""
