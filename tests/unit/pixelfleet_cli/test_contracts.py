import pytest

from pixelfleet_cli.contracts import CONTRACTS, SERVICES, text_of


@pytest.mark.parametrize("file", CONTRACTS)
def test_the_checked_in_document_is_current(file: str) -> None:
    assert (SERVICES / file).read_bytes() == text_of(CONTRACTS[file]), "run `make generated`"


def test_every_checked_in_document_has_a_contract() -> None:
    found = {path.relative_to(SERVICES).as_posix() for path in SERVICES.rglob("openapi.json")}
    assert found == set(CONTRACTS)
