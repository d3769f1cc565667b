"""Changes by operators are recorded with the operator's name, also through the router."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import bcrypt
import pytest
from structlog.testing import capture_logs
from yarl import URL

import router.app
import router.settings
from pixelfleet.fleet.memory import MemoryFleetStore
from tests.integration.matchmakers import KEY, RunningMatchmaker, running_matchmaker
from tests.integration.operators import BEARER, TOKEN
from tests.integration.peers import player, streamer
from tests.integration.router_stack import running_stack
from tests.integration.signalservers import running_signalserver
from tests.parts import eventually

pytestmark = pytest.mark.integration

USERS = f"ada:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}:admin"
ADA = {"Authorization": aiohttp.encode_basic_auth("ada", "secret")}
FORGED = {"X-Pixelfleet-Operator": "mallory"}


@asynccontextmanager
async def running_router(matchmaker: RunningMatchmaker, page: Path) -> AsyncIterator[str]:
    """Run a router in front of a matchmaker; yield its URL."""
    settings = router.settings.Settings(
        host="127.0.0.1",
        port=0,
        metrics_port=0,
        page=page,
        matchmaker=[matchmaker.player_url],
        session_key=KEY,
        rest_token=TOKEN,
        auth="basic",
        users=USERS,
    )
    async with router.app.running(settings) as running:
        await running.matchmakers.found.wait()
        yield f"http://127.0.0.1:{running.port}"


async def change(matchmaker: RunningMatchmaker, method: str, url: str, **options: object) -> int:
    async with matchmaker.http.request(method, URL(url, encoded=True), **options) as answer:  # type: ignore[arg-type]
        return answer.status


async def test_a_change_through_the_router_has_the_operators_name(page_folder: Path) -> None:
    async with running_matchmaker() as matchmaker, running_router(matchmaker, page_folder) as url:
        await matchmaker.report(1)
        streamer = "s00001%2Fcam"
        own_page = {**ADA, "X-Pixelfleet-Action": "1", **FORGED}
        for path in (f"/dashboard/api/v1/streamers/{streamer}/drain", f"/api/v1/streamers/{streamer}/undrain"):
            assert await change(matchmaker, "POST", url + path, headers=own_page) == 200
        async with matchmaker.http.get(url + "/api/v1/audit", headers=ADA) as answer:
            page = await answer.json()
        assert [(each["action"], each["target"], each["subject"], each["method"]) for each in page["items"]] == [
            ("undrain", "s00001/cam", "ada", "basic"),
            ("drain", "s00001/cam", "ada", "basic"),
        ]
        assert (page["total"], page["next"]) == (2, None)
        assert {each["address"] for each in page["items"]} == {"127.0.0.1"}
        assert all(abs(each["at"] - page["now"]) < 3600 for each in page["items"])


async def test_a_forged_name_has_no_effect(page_folder: Path) -> None:
    async with running_matchmaker() as matchmaker, running_router(matchmaker, page_folder) as url:
        await matchmaker.report(1)
        drain = "/api/v1/streamers/s00001%2Fcam/drain"
        for headers, status in ((FORGED, 401), ({**BEARER, **FORGED}, 200)):
            assert await change(matchmaker, "POST", matchmaker.rest_url + drain, headers=headers) == status
        assert await change(matchmaker, "POST", url + drain, headers=FORGED) == 401
        [event] = (await matchmaker.ask("GET", "/api/v1/audit"))[1]["items"]
        assert (event["subject"], event["method"], event["action"]) == (None, "token", "drain")


async def test_an_ended_session_is_recorded_and_pages_are_newest_first() -> None:
    async with running_matchmaker(rest_api=True) as matchmaker, player(matchmaker.player_url) as viewer:
        await viewer.receive("matchmaker")
        await eventually(lambda: matchmaker.has_sessions(1), "it waits")
        [waiting] = (await matchmaker.ask("GET", "/api/v1/queue"))[1]["items"]
        assert (await matchmaker.ask("DELETE", f"/api/v1/sessions/{waiting['id']}"))[0] == 202
        await matchmaker.report(1)
        for action in ("drain", "undrain"):
            await matchmaker.ask("POST", f"/api/v1/streamers/cam/{action}")
        assert (await matchmaker.ask("POST", "/api/v1/streamers/nobody/drain"))[0] == 404
        seen, after = [], ""
        for _ in range(3):
            _, page = await matchmaker.ask("GET", f"/api/v1/audit?limit=1&after={after}")
            seen += [(each["action"], each["target"]) for each in page["items"]]
            after = page["next"] or "last"
        assert after == "last"
        assert seen == [("undrain", "s00001/cam"), ("drain", "s00001/cam"), ("end", waiting["id"])]
        # Names and addresses stay closed where --rest-api opens reads.
        assert (await matchmaker.ask("GET", "/api/v1/audit", headers={}))[0] == 401


async def test_changes_at_a_signalling_server_are_in_the_same_store() -> None:
    store = MemoryFleetStore()
    async with running_signalserver(store, rest_token=TOKEN, server_id="pod-1") as server:
        async with streamer(server.streamer_url, "cam") as source, player(server.player_url) as viewer:
            await viewer.send("subscribe", streamerId="cam")
            player_id = (await source.receive("playerConnected"))["playerId"]
            assert (await server.ask("POST", f"/api/players/{player_id}/extend?seconds=60"))[0] == 200
            assert (await server.ask("DELETE", f"/api/players/{player_id}"))[0] == 200
        for _ in range(2):
            assert (await server.ask("POST", "/api/drain"))[0] == 202

        async def stored() -> bool:
            return [(each.action, each.target, each.method) for each in await store.audit()] == [
                ("drain server", "pod-1", "token"),
                ("kick", player_id, "token"),
                ("extend 60 s", player_id, "token"),
            ]

        await eventually(stored, "each change is recorded once")


async def test_a_change_at_a_streamers_rest_api_is_logged_with_the_operators_name(page_folder: Path) -> None:
    with capture_logs() as logs:
        async with (
            running_stack(page_folder, proxy_auth="basic", users=USERS) as stack,
            aiohttp.ClientSession(headers=ADA) as http,
        ):
            for method in ("GET", "PUT"):
                url = URL(f"{stack.url}/proxy/pod-1%2Fcam/preset", encoded=True)
                async with http.request(method, url) as answer:
                    assert answer.status == 200
    [event] = [entry for entry in logs if entry["event"] == "audit"]
    assert (event["action"], event["target"], event["subject"]) == ("proxy PUT", "pod-1/cam/preset", "ada")
