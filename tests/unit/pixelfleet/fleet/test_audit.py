"""The changes of operators, in both stores and in the log."""

import pytest
from structlog.testing import capture_logs

from pixelfleet.fleet.audit import Audit
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import AuditEvent
from pixelfleet.fleet.operators import Operator
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from tests.unit.pixelfleet.fleet.stores import Clock

ADA = Operator("ada", "basic", "192.0.2.7")


async def test_events_are_kept_newest_first_with_their_time(store: FleetStore, clock: Clock) -> None:
    audit = Audit(store, "matchmaker")
    before = clock.now
    await audit.record("drain", "pod-1/cam", ADA)
    clock.advance(5)
    await audit.record("undrain", "pod-1/cam", ADA)
    newest, oldest = await store.audit()
    assert (newest.action, newest.at, oldest.action, oldest.at) == ("undrain", before + 5, "drain", before)
    assert (oldest.target, oldest.subject, oldest.method, oldest.address, oldest.service) == (
        "pod-1/cam",
        "ada",
        "basic",
        "192.0.2.7",
        "matchmaker",
    )


async def test_events_of_one_moment_have_ids_in_order(store: FleetStore) -> None:
    for number in range(3):
        await Audit(store, "matchmaker").record("end", f"p{number}", ADA)
    events = await store.audit()
    assert [event.target for event in events] == ["p2", "p1", "p0"]
    ids = [int(event.id) for event in events]
    assert ids == sorted(set(ids), reverse=True)


async def test_a_clock_that_goes_back_keeps_the_order(store: FleetStore, clock: Clock) -> None:
    await Audit(store, "matchmaker").record("end", "p0", ADA)
    clock.now -= 1
    await Audit(store, "matchmaker").record("end", "p1", ADA)
    assert [event.target for event in await store.audit()] == ["p1", "p0"]


async def test_the_oldest_of_more_than_1000_events_is_dropped(store: FleetStore) -> None:
    for number in range(1001):
        await store.add_audit(
            AuditEvent(action="end", target=str(number), subject="", method="token", address="", service="matchmaker")
        )
    events = await store.audit()
    assert (len(events), events[0].target, events[-1].target) == (1000, "1000", "1")


async def test_a_change_is_logged_with_its_operator() -> None:
    with capture_logs() as logs:
        await Audit(None, "router").record("end", "x" * 400, ADA)
    [entry] = logs
    assert entry == {
        "event": "audit",
        "log_level": "info",
        "action": "end",
        "target": "x" * 300,
        "subject": "ada",
        "method": "basic",
        "address": "192.0.2.7",
    }


async def test_an_unavailable_store_does_not_fail_the_change(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_: AuditEvent) -> None:
        raise StoreUnavailableError("is gone")

    store = MemoryFleetStore()
    monkeypatch.setattr(store, "add_audit", refuse)
    with capture_logs() as logs:
        await Audit(store, "matchmaker").record("end", "p0", ADA)
    assert [entry["event"] for entry in logs] == ["audit", "audit event not stored"]
