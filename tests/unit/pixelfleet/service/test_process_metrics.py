from pathlib import Path

import pytest

from pixelfleet.service import process_metrics
from pixelfleet.service.metrics import Registries
from pixelfleet.service.process_metrics import ProcessMetrics, resident_bytes


async def test_every_service_has_them_and_reading_them_blocks_no_loop() -> None:
    registry = Registries("router").all
    assert (registry.get_sample_value("process_cpu_seconds_total") or 0) > 0
    assert (registry.get_sample_value("process_resident_memory_bytes") or 0) > 1_000_000


def test_the_memory_is_left_out_where_it_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resident_bytes(str(tmp_path / "missing")) is None
    (tmp_path / "statm").write_text("x")
    assert resident_bytes(str(tmp_path / "statm")) is None
    monkeypatch.setattr(process_metrics, "resident_bytes", lambda: None)
    assert [each.name for each in ProcessMetrics().collect()] == ["process_cpu_seconds"]
