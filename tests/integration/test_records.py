"""Records of sessions over real services and a real Redis: from the request of the player to the export."""

import csv
import io
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from redis.asyncio import Redis

from pixelfleet.fleet.open import PREFIX, open_store
from pixelfleet.fleet.store import FleetStore
from tests.integration.matchmakers import KEY, RunningMatchmaker, running_matchmaker
from tests.integration.operators import TOKEN
from tests.integration.peers import negotiate, player, streamer
from tests.integration.signalservers import RunningSignalserver, running_signalserver
from tests.integration.test_fleet_command import fleet as command
from tests.parts import eventually
from tests.unit.pixelfleet.fleet.redis_servers import redis_server

pytestmark = pytest.mark.integration


@dataclass
class Recording:
    """Two matchmakers and a signalling server with one Redis."""

    redis_url: str
    store: FleetStore
    matchmaker: RunningMatchmaker
    other: RunningMatchmaker
    pod: RunningSignalserver

    async def past(self) -> list[dict[str, Any]]:
        """Wait for a past session; return all, newest first."""

        async def recorded() -> bool:
            return await self.store.count_records() > 0

        await eventually(recorded, "a session is recorded")
        return list((await self.get("sessions/history"))["items"])

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """Read from the other matchmaker: all replicas have the same records."""
        status, body = await self.other.ask("GET", f"/api/v1/{path}?{urlencode(query)}")
        assert status == 200, body
        return dict(body)


@pytest.fixture
async def recording(tmp_path: Path) -> AsyncIterator[Recording]:
    with redis_server(tmp_path) as redis:
        async with AsyncExitStack() as stack:
            stores = [await stack.enter_async_context(open_store(redis.url)) for _ in range(3)]
            pod = await stack.enter_async_context(
                running_signalserver(
                    stores[0], session_key=KEY, node="gpu-7", app="default", rest_token=TOKEN, session_seconds=3600
                )
            )
            one, other = [
                await stack.enter_async_context(running_matchmaker(each, legacy_link=False, legacy_port=None))
                for each in stores[1:]
            ]
            yield Recording(redis.url, stores[1], one, other, pod)


async def test_a_session_is_shown_live_recorded_and_exported(recording: Recording) -> None:
    async with streamer(recording.pod.streamer_url, "cam") as source:
        await eventually(recording.matchmaker.streamers, "the streamer is reported")
        async with player(f"{recording.matchmaker.player_url}/?resume=1") as viewer:
            await negotiate(viewer, source, "default")
            for stats in ({"path": "relayed"}, {"firstFrame": {"opened": 100, "frame": 900}}, {"longestStall": 2.5}):
                await viewer.send("stats", data=orjson.dumps(stats).decode())

            async def live() -> dict[str, Any] | None:
                items = (await recording.get("sessions"))["items"]
                return next((each for each in items if each["path"] and each["firstFrameSeconds"]), None)

            await eventually(live, "the live session shows what its page reports")
            shown = await live()
            assert shown is not None
            assert (shown["path"], shown["node"], shown["longestStallSeconds"]) == ("relayed", "gpu-7", 2.5)
            assert shown["firstFrameSeconds"] == {"page": 0.1, "picture": 0.8}
            assert shown["endsAt"] > shown["matchedAt"]
            assert len(shown["address"]) == 16
            await viewer.socket.close(1000)
        (record,) = await recording.past()
        assert record["session"] == shown["id"]
        assert (record["ending"], record["by"], record["code"]) == ("left", "player", 1000)
        assert (record["path"], record["longestStallSeconds"], record["resumed"]) == ("relayed", 2.5, 0)
        assert record["firstFrameSeconds"]["total"] == 0.9
        assert record["queuedAt"] <= record["startedAt"] <= record["endedAt"]
        assert record["address"] == shown["address"]
        code, out, _ = await command(recording.matchmaker, "export", "--since", "1d")
        assert (code, orjson.loads(out)) == (0, record)
        code, out, _ = await command(recording.matchmaker, "export", "--format", "csv")
        (row,) = csv.DictReader(io.StringIO(out))
        assert (row["session"], row["node"], row["firstFrameSeconds.total"]) == (record["session"], "gpu-7", "0.9")
        usage = await recording.get("usage", days="2")
        assert (usage["complete"], usage["recording"], usage["total"]["sessions"]) == (True, True, 1)
        assert usage["total"]["ends"] == {"left": 1}
        assert (len(usage["days"]), [each["app"] for each in usage["apps"]]) == (2, ["default"])


async def test_an_operator_is_named_in_the_record_of_the_session_that_it_ends(recording: Recording) -> None:
    async with streamer(recording.pod.streamer_url, "cam") as source:
        await eventually(recording.matchmaker.streamers, "the streamer is reported")
        async with player(f"{recording.matchmaker.player_url}/?resume=1") as viewer:
            await negotiate(viewer, source, "default")

            async def held() -> list[str]:
                return [each["id"] for each in (await recording.get("sessions"))["items"] if each["state"] == "held"]

            await eventually(held, "the session is held")
            status, _ = await recording.other.ask("DELETE", f"/api/v1/sessions/{(await held())[0]}")
            assert status == 202
            assert (await viewer.closed())[0] == 4201
        (record,) = await recording.past()
        assert (record["ending"], record["by"], record["code"]) == ("kicked", "operator", 4201)


async def test_a_player_that_gives_up_waiting_has_a_record(recording: Recording) -> None:
    async with player(recording.matchmaker.player_url) as viewer:
        await viewer.receive("matchmaker")
        await eventually(lambda: recording.matchmaker.has_sessions(1), "it waits")
        await viewer.socket.close(1000)
    (record,) = await recording.past()
    assert (record["ending"], record["streamer"], record["startedAt"]) == ("abandoned", None, None)


async def test_a_stopped_signalling_server_ends_its_sessions(recording: Recording) -> None:
    async with AsyncExitStack() as stack:
        pod = await stack.enter_async_context(
            running_signalserver(recording.store, session_key=KEY, app="stopping", server_id="stopping")
        )
        async with streamer(pod.streamer_url, "cam") as source:
            await eventually(recording.matchmaker.streamers, "the streamer is reported")
            async with player(f"{recording.matchmaker.player_url}/?app=stopping&resume=1") as viewer:
                await negotiate(viewer, source, "stopping")
                await stack.aclose()
    (record,) = await recording.past()
    assert (record["app"], record["server"], record["ending"]) == ("stopping", "stopping", "restarting")
    assert (record["by"], record["code"]) == ("server", 4005)


async def test_ten_thousand_past_sessions_are_read_in_bounded_steps(recording: Recording) -> None:
    names = [f"{number:032x}" for number in range(10_000)]
    async with Redis.from_url(recording.redis_url) as redis, redis.pipeline(transaction=False) as pipeline:
        for name in names:
            record = {"session": name, "app": "default", "queuedAt": time.time() - 5, "endedAt": time.time()}
            record |= {"cause": "abandoned", "who": "ada" if name.endswith("7") else ""}
            await pipeline.xadd(f"{PREFIX}records", {"r": orjson.dumps(record)})  # queued
        await pipeline.execute()
    seen, query = list[str](), {"limit": "1000"}
    while True:
        page = await recording.get("sessions/history", **query)
        seen += [each["session"] for each in page["items"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert seen == names[::-1]
    assert page["total"] == 10_000
    # A filter that nothing satisfies ends each request early, with a place to continue.
    empty = await recording.get("sessions/history", who="nobody")
    assert (empty["items"], empty["next"] is None) == ([], False)
    found, query = 0, {"who": "ada", "order": "oldest"}
    while True:
        page = await recording.get("sessions/history", **query)
        found += len(page["items"])
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert found == 625
    requests = 0
    while not (usage := await recording.get("usage"))["complete"]:
        requests += 1
    assert requests <= 2
    assert (usage["records"], usage["total"]["abandoned"]) == (10_000, 10_000)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("sessions/history", {"since": "yesterday"}),
        ("sessions/history", {"until": "1e99"}),
        ("sessions/history", {"after": "x"}),
        ("sessions/history", {"order": "random"}),
        ("sessions/history", {"limit": "1001"}),
        ("usage", {"days": "0"}),
        ("usage", {"days": "400"}),
    ],
)
async def test_an_invalid_parameter_is_refused(path: str, query: dict[str, str]) -> None:
    async with running_matchmaker() as matchmaker:
        status, _ = await matchmaker.ask("GET", f"/api/v1/{path}?{urlencode(query)}")
        assert status == 400


@pytest.mark.parametrize("since", ["0", "0.0001", "0.0005", "0.001", "1970-01-01T00:00:00Z"])
async def test_the_beginning_of_unix_time_is_a_valid_time(since: str) -> None:
    async with running_matchmaker() as matchmaker:
        status, _ = await matchmaker.ask("GET", f"/api/v1/sessions/history?{urlencode({'since': since})}")
        assert status == 200


async def test_open_reads_do_not_show_who_played() -> None:
    async with running_matchmaker(rest_api=True) as matchmaker:
        for path, expected in (("usage", 200), ("sessions", 200), ("sessions/history", 401)):
            async with matchmaker.http.get(f"{matchmaker.rest_url}/api/v1/{path}") as answer:
                assert answer.status == expected, path
