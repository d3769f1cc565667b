import pytest
from prometheus_client import generate_latest

from pixelfleet.service.metrics import Registries
from pixelfleet_cli.loadtest.core.metrics_text import resources_of


def test_the_metrics_of_our_services_have_the_resources() -> None:
    found = resources_of(generate_latest(Registries("router").all).decode())
    assert found is not None
    cpu, memory = found
    assert cpu > 0
    assert memory > 1_000_000


def test_labels_and_time_stamps_are_accepted() -> None:
    text = 'process_cpu_seconds_total{a="b"} 1.5e1 1700000000\nprocess_resident_memory_bytes 2e6\n'
    assert resources_of(text) == (15.0, 2_000_000)


@pytest.mark.parametrize("text", ["", "x", "process_cpu_seconds_total 1", "process_cpu_seconds_total x\n" * 2])
def test_other_texts_have_none(text: str) -> None:
    assert resources_of(text) is None
