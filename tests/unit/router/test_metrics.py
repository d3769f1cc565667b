"""The labels of the router's metrics are from fixed sets."""

import pytest

from router.metrics import section_of, status_label


@pytest.mark.parametrize(("status", "label"), [(200, "200"), (404, "404"), (299, "other"), (999, "other")])
def test_a_status_that_http_does_not_define_has_the_label_other(status: int, label: str) -> None:
    assert status_label(status) == label


@pytest.mark.parametrize(
    ("path", "section"), [("/", "page"), ("/ws", "ws"), ("/proxy/x", "proxy"), ("/any/x", "other")]
)
def test_a_path_has_the_label_of_its_first_part(path: str, section: str) -> None:
    assert section_of(path) == section
