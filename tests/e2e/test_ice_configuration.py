"""The table of ICE configurations that the unit tests use, in a real browser."""

from typing import Any

import pytest
from playwright.async_api import Page

from tests.unit.pixelfleet.protocol.ice_configurations import (
    ACCEPTED,
    CONVERTED,
    REFUSED,
    REFUSED_BY_CHROMIUM,
    REFUSED_BY_FIREFOX,
    Options,
)

REFUSES = """(options) => {
  try {
    new RTCPeerConnection(options).close();
    return null;
  } catch (error) {
    return error.name;
  }
}"""


@pytest.mark.parametrize(
    ("table", "refused"),
    [
        (ACCEPTED + CONVERTED + REFUSED_BY_FIREFOX, False),
        (REFUSED + REFUSED_BY_CHROMIUM, True),
    ],
    ids=["accepted", "refused"],
)
async def test_chromium_agrees_with_the_table(page: Page, table: list[Options], *, refused: bool) -> None:
    await page.goto("about:blank")
    outcomes: dict[str, Any] = {str(options): await page.evaluate(REFUSES, options) for options in table}
    assert {options for options, error in outcomes.items() if (error is not None) is not refused} == set()
