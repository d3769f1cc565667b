import pytest

from tests.unit.pixelfleet.net import raw


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less than usual for an answer, where none that is right would take long."""
    monkeypatch.setattr(raw, "PATIENCE", 0.8)
