from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest

from pixelfleet.service.metrics import MAX_PENDING_NOTES, Notes, Registries
from pixelfleet.service.version import VERSION


def test_each_service_has_its_own_registry() -> None:
    one, other = Registries("one"), Registries("other")
    one.custom_gauge("players", "Players.").set(1)
    other.custom_gauge("players", "Players.").set(2)
    assert one.all.get_sample_value("players") == one.custom.get_sample_value("players") == 1
    assert other.all.get_sample_value("players") == other.custom.get_sample_value("players") == 2


def test_a_gauge_may_have_labels() -> None:
    registries = Registries("one")
    registries.custom_gauge("players", "Players.", "app").labels("a").set(4)
    assert registries.custom.get_sample_value("players", {"app": "a"}) == 4


def test_the_version_is_a_metric_but_not_a_custom_gauge() -> None:
    registries = Registries("one")
    assert registries.all.get_sample_value("pixelfleet_build_info", {"service": "one", "version": VERSION}) == 1
    assert generate_latest(registries.custom) == b""
    assert VERSION


def test_notes_are_applied_in_batches_and_before_a_collection() -> None:
    registry = CollectorRegistry()
    notes = Notes(registry)
    seen = Histogram("seen", "Seen.", buckets=(1, 2), registry=registry)
    counted = Counter("counted", "Counted.", registry=registry)
    notes.add(seen.observe, 1.5)
    notes.add(counted.inc)
    text = generate_latest(registry).decode()
    assert 'seen_bucket{le="2.0"} 1.0' in text
    assert registry.get_sample_value("counted_total") == 1
    for _ in range(2 * MAX_PENDING_NOTES - 1):
        notes.add(counted.inc)
    assert len(notes) == MAX_PENDING_NOTES - 1
    assert registry.get_sample_value("counted_total") == 2 * MAX_PENDING_NOTES
    assert len(notes) == 0
