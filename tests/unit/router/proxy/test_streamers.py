"""The lookup of a registered streamer's REST address."""

import msgspec
import pytest
from aiohttp import web
from pydantic import SecretStr

from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import ServerReport, StreamerReport, StreamerView
from pixelfleet.fleet.store import StoreUnavailableError
from router.proxy.streamers import MAX_ANSWER_BYTES, ApiStreamers, LookupFailedError, StoreStreamers
from router.upstreams.matchmakers import Matchmakers
from router.upstreams.pool import Pool
from tests.unit.matchmaker.bodies import streamer
from tests.unit.router.servers import serving, session


async def test_the_address_is_found_in_the_store() -> None:
    store = MemoryFleetStore()
    report = StreamerReport(server_id="pod", endpoint_id="cam", app="a", url="ws://x", rest_url="http://10.0.0.7:30010")
    await store.report(ServerReport(server_id="pod", sequence=1, streamers=(report,)))
    assert await StoreStreamers(store).rest_url("pod/cam") == "http://10.0.0.7:30010"
    assert await StoreStreamers(store).rest_url("pod/other") is None


async def test_an_unavailable_store_is_not_a_missing_streamer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: MemoryFleetStore, __: str) -> StreamerView | None:
        raise StoreUnavailableError("away")

    monkeypatch.setattr(MemoryFleetStore, "find", away)
    with pytest.raises(LookupFailedError):
        await StoreStreamers(MemoryFleetStore()).rest_url("pod/cam")


ANSWERS = {
    b'{"restUrl": "http://10.0.0.7:30010"}': "http://10.0.0.7:30010",
    b'{"restUrl": null}': "",
    b'{"restUrl": 7}': "",
    b"{}": "",
    b"null": LookupFailedError,
    b"[]": LookupFailedError,
    b"{": LookupFailedError,
    b'"' + b"x" * MAX_ANSWER_BYTES + b'"': LookupFailedError,
}


@pytest.mark.parametrize(("body", "found"), ANSWERS.items(), ids=range(len(ANSWERS)))
async def test_the_address_is_found_at_a_matchmaker(body: bytes, found: object) -> None:
    assert await asked(body) == found


async def test_the_matchmakers_real_answer_is_parsed() -> None:
    url = "http://10.0.0.7:30010"
    assert await asked(msgspec.json.encode(streamer(rest_url=url))) == url


@pytest.mark.parametrize(("status", "found"), [(404, None), (401, LookupFailedError), (302, LookupFailedError)])
async def test_a_matchmaker_that_answers_with_an_error_status(status: int, found: object) -> None:
    assert await asked(b'{"restUrl": "http://x"}', status) == found


async def asked(body: bytes, status: int = 200) -> object:
    """Return the result of the lookup for a matchmaker's answer."""
    requests: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        requests.append((request.raw_path, request.headers["Authorization"]))
        return web.Response(body=body, status=status, headers={"Location": "http://127.0.0.1:1/"})

    async with serving(answer) as url, session() as client:
        known = Matchmakers(Pool([url]), client)
        known.pool.resolved({url: ["127.0.0.1"]})
        try:
            return await ApiStreamers(known, SecretStr("token")).rest_url("pod 1/cam")
        except LookupFailedError:
            return LookupFailedError
        finally:
            assert requests == [("/api/v1/streamers/pod%201/cam", "Bearer token")]
