"""Records the changes of operators, in the log and in the fleet store."""

from typing import Final

import structlog

from pixelfleet.fleet.model import AuditEvent
from pixelfleet.fleet.operators import Operator
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError

log = structlog.get_logger(__name__)

MAX_TARGET_LENGTH: Final = 300


class Audit:
    """Records changes that one service has made for operators."""

    def __init__(self, store: FleetStore | None, service: str) -> None:
        """Without a store, changes are only in the log."""
        self._store = store
        self._service = service

    async def record(self, action: str, target: str, operator: Operator) -> None:
        """Log a change as an `audit` event, and add it to the store.

        An unavailable store is no error here: the change has been made, and is in the log.
        """
        event = AuditEvent(
            action=action,
            target=target[:MAX_TARGET_LENGTH],
            subject=operator.subject,
            method=operator.method,
            address=operator.address,
            service=self._service,
        )
        log.info(
            "audit",
            action=event.action,
            target=event.target,
            subject=event.subject,
            method=event.method,
            address=event.address,
        )
        if self._store is None:
            return
        try:
            await self._store.add_audit(event)
        except StoreUnavailableError as error:
            log.warning("audit event not stored", action=action, target=event.target, why=str(error))
