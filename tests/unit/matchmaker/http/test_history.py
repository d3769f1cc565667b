"""Pages of ended sessions: order, filters, bounds, and the errors of invalid parameters."""

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from matchmaker.http.history import SCANNED_AT_ONCE, History
from pixelfleet.fleet.model import Ticket
from tests.unit.matchmaker.brokers import Store


async def page(history: History, operation: str = "history", **query: str) -> dict[str, Any]:
    response = await history.handlers()[operation](make_mocked_request("GET", f"/?{urlencode(query)}"))
    assert isinstance(response, web.Response)
    assert isinstance(response.body, bytes)
    return dict(orjson.loads(response.body))


def sessions(shown: dict[str, Any]) -> list[str]:
    return [each["session"] for each in shown["items"]]


async def ends(store: Store, *names: str, app: str = "city") -> None:
    """Let players leave the queue: each has a record."""
    for name in names:
        await store.inner.join(Ticket(session_id=name, replica_id="r", app=app))
        await store.inner.leave(name)


@pytest.fixture
async def store() -> Store:
    made = Store()
    await made.inner.keep_records(1_000_000, 86_400)
    return made


async def test_pages_have_all_records_once_in_either_order(store: Store) -> None:
    await ends(store, "a", "b", "c", "d", "e")
    history = History(store.real, recording=True)
    for order, expected in (("newest", "edcba"), ("oldest", "abcde")):
        found, after = [], ""
        while True:
            shown = await page(history, order=order, limit="2", after=after)
            found += sessions(shown)
            assert shown["total"] == 5
            if shown["next"] is None:
                break
            after = shown["next"]
        assert "".join(found) == expected


async def test_records_are_filtered_by_application_and_time(store: Store) -> None:
    await ends(store, "a")
    await ends(store, "b", app="sea")
    history = History(store.real, recording=True)
    assert sessions(await page(history, app="sea")) == ["b"]
    assert sessions(await page(history, who="nobody")) == []
    assert sessions(await page(history, until="1970-01-01T00:00:01")) == []
    assert sessions(await page(history, since="1970-01-01T00:00:00+00:00", until="9999999999")) == ["b", "a"]


async def test_one_request_examines_a_bounded_number_of_records(store: Store) -> None:
    await ends(store, *(f"p{number}" for number in range(SCANNED_AT_ONCE + 1)))
    history = History(store.real, recording=True)
    first = await page(history, app="none")
    assert (first["items"], first["next"] is None) == ([], False)
    assert (await page(history, app="none", after=first["next"]))["next"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("order", "random"),
        ("since", "yesterday"),
        ("until", "nan"),
        ("until", "1e300"),
        ("after", "x"),
        ("after", "1-" + "9" * 30),
        ("limit", "0"),
    ],
)
async def test_an_invalid_parameter_is_named(store: Store, name: str, value: str) -> None:
    with pytest.raises(web.HTTPBadRequest, match=name):
        await page(History(store.real, recording=True), **{name: value})


async def test_the_usage_counts_the_days(store: Store) -> None:
    await ends(store, "a", "b")
    history = History(store.real, recording=True)
    shown = await page(history, "usage", days="2")
    assert (len(shown["days"]), shown["total"]["ends"], shown["recording"]) == (2, {"abandoned": 2}, True)
    for days in ("0", "367", "many"):
        with pytest.raises(web.HTTPBadRequest, match="days"):
            await page(history, "usage", days=days)
