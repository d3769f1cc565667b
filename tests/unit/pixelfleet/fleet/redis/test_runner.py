"""The connection to Redis: order of calls, loading of scripts, failures."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from pixelfleet.fleet import open as opening
from pixelfleet.fleet.redis import announcements
from pixelfleet.fleet.redis import runner as redis_runner
from pixelfleet.fleet.redis import wire as redis_wire
from pixelfleet.fleet.redis.scripts import SCRIPTS, library_name, script_text
from pixelfleet.fleet.redis.store import RedisFleetStore
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from tests.parts import PATIENCE_SECONDS, eventually
from tests.unit.pixelfleet.fleet.redis_servers import RedisServer, ask, redis_server
from tests.unit.pixelfleet.fleet.stores import Clock, Fleet, empty_store, streamer, ticket


@pytest.fixture
async def on_redis(own_redis: RedisServer, clock: Clock) -> AsyncIterator[FleetStore]:
    async with empty_store(own_redis.url, clock) as store:
        yield store


async def run(server: RedisServer, *words: str) -> None:
    await ask(server.url, *words)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_documents_its_arguments(name: str) -> None:
    text = script_text(name)
    own = text.partition("begin(KEYS, ARGV)\n")[2].strip()
    comment = own[: own.index("\n" + next(line for line in own.splitlines() if not line.startswith("--")))]
    words = own.count("ARGV[2]") + own.count("#ARGV")
    assert ("ARGV[2" in comment) == (words > 0)


async def test_a_server_with_functions_gets_a_library(on_redis: FleetStore, own_redis: RedisServer) -> None:
    await on_redis.totals()
    async with Redis.from_url(own_redis.url) as redis:
        if int((await redis.info("server"))["redis_version"].partition(".")[0]) < 7:
            pytest.skip("this server has no functions")
        assert library_name() in str(await redis.function_list())


async def test_concurrent_calls_keep_their_order(on_redis: FleetStore) -> None:
    sessions = [f"p{number:03}" for number in range(600)]
    await asyncio.gather(*(on_redis.join(ticket(session)) for session in sessions))
    queue = (await on_redis.snapshot()).queue
    assert [each.ticket.session_id for each in queue] == sessions
    calls = []
    for session in sessions:
        calls += [on_redis.leave(session), on_redis.join(ticket(session))]
    await asyncio.gather(*calls)
    assert [each.ticket.session_id for each in (await on_redis.snapshot()).queue] == sessions


async def test_missing_scripts_are_loaded_again(on_redis: FleetStore, own_redis: RedisServer) -> None:
    await on_redis.join(ticket("a"))
    await run(own_redis, "FUNCTION", "FLUSH")
    await asyncio.gather(on_redis.join(ticket("b")), on_redis.join(ticket("c")), on_redis.leave("b"))
    assert [each.ticket.session_id for each in (await on_redis.snapshot()).queue] == ["a", "c"]


async def test_a_server_without_functions_gets_scripts(tmp_path: Path, clock: Clock) -> None:
    with redis_server(tmp_path, "--rename-command", "FUNCTION", "") as server:
        async with empty_store(server.url, clock) as store:
            fleet = Fleet(store, clock)
            await fleet.reports(streamer())
            await store.join(ticket("a"))
            await run(server, "SCRIPT", "FLUSH")
            await asyncio.gather(store.join(ticket("b")), store.join(ticket("c")), store.leave("b"))
            known = await store.snapshot()
            assert [each.ticket.session_id for each in known.queue] == ["c"]
            assert [each.session_id for each in known.leases] == ["a"]


async def test_a_broken_connection_is_replaced(on_redis: FleetStore, own_redis: RedisServer) -> None:
    sessions = [f"p{number:03}" for number in range(500)]
    joins = asyncio.gather(*(on_redis.join(ticket(each)) for each in sessions), return_exceptions=True)
    for _ in range(5):
        await run(own_redis, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    for answer in await joins:
        assert not isinstance(answer, BaseException) or isinstance(answer, StoreUnavailableError)
    await eventually(on_redis.totals, "the store is back", tolerating=(StoreUnavailableError,))
    for session in sessions:
        await on_redis.join(ticket(session))
    assert len((await on_redis.snapshot()).queue) == len(sessions)


async def test_a_redis_that_does_not_answer_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, own_redis: RedisServer, clock: Clock
) -> None:
    for module in (opening, redis_runner):
        monkeypatch.setattr(module, "ANSWER_SECONDS", 1.0)
    async with empty_store(own_redis.url, clock) as store:
        own_redis.freeze(on=True)
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises(StoreUnavailableError):
                await store.totals()
            with pytest.raises(StoreUnavailableError):
                await store.totals()
        own_redis.freeze(on=False)
        await eventually(store.totals, "the store is back", tolerating=(StoreUnavailableError,))


async def test_a_refused_call_has_no_effect_and_gives_the_reason(on_redis: FleetStore, own_redis: RedisServer) -> None:
    await run(own_redis, "CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(StoreUnavailableError, match="memory"):
        await on_redis.join(ticket("p"))
    await run(own_redis, "CONFIG", "SET", "maxmemory", "0")
    await on_redis.join(ticket("p"))


async def test_an_unencodable_text_fails_only_its_own_call(on_redis: FleetStore) -> None:
    answers = await asyncio.gather(on_redis.leave("\ud800"), on_redis.join(ticket("p")), return_exceptions=True)
    assert isinstance(answers[0], UnicodeEncodeError)
    assert not isinstance(answers[1], BaseException)


async def test_pending_and_later_calls_fail_when_the_store_is_closed(own_redis: RedisServer, clock: Clock) -> None:
    async with empty_store(own_redis.url, clock) as store:
        late = asyncio.create_task(store.totals())
        await asyncio.sleep(0)
    with pytest.raises(StoreUnavailableError, match="closed"):
        await late
    with pytest.raises(StoreUnavailableError, match="closed"):
        await store.totals()


async def test_a_store_opened_without_redis_connects_later(own_redis: RedisServer, clock: Clock) -> None:
    own_redis.kill()
    async with opening.open_store(own_redis.url, clock=clock) as store:
        with pytest.raises(StoreUnavailableError):
            await store.totals()
        own_redis.start()
        await eventually(store.totals, "the store is there", tolerating=(StoreUnavailableError,))


async def test_the_loss_of_the_server_ends_a_wait_for_an_announcement(own_redis: RedisServer, clock: Clock) -> None:
    async with empty_store(own_redis.url, clock) as store:
        assert await store.wait("r1", PATIENCE_SECONDS), "the replica is subscribed"
        own_redis.kill()
        assert await store.wait("r1", PATIENCE_SECONDS)


@pytest.mark.parametrize("break_off", ["killed", "frozen", "quiet"])
async def test_a_lost_subscription_is_replaced(
    monkeypatch: pytest.MonkeyPatch, own_redis: RedisServer, clock: Clock, break_off: str
) -> None:
    monkeypatch.setattr(announcements, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(announcements, "QUIET_SECONDS", 0.3)
    async with empty_store(own_redis.url, clock) as store:
        fleet = Fleet(store, clock)
        await fleet.joins("p")
        assert await store.wait("r1", PATIENCE_SECONDS)
        if break_off == "killed":
            await run(own_redis, "CLIENT", "KILL", "TYPE", "pubsub")
            assert await store.wait("r1", PATIENCE_SECONDS), "an announcement may have been missed"
        elif break_off == "frozen":
            with capture_logs() as logs:
                own_redis.freeze(on=True)
                await eventually(lambda: logs, "the connection is closed")
                own_redis.freeze(on=False)
            assert await store.wait("r1", PATIENCE_SECONDS)
        else:
            assert not await store.wait("r1", 1.0)
        await fleet.reports(streamer())
        assert await store.wait("r1", PATIENCE_SECONDS)


async def test_an_idle_connection_has_no_timer(on_redis: FleetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_wire, "CHECK_SECONDS", 0.01)
    await on_redis.totals()
    assert isinstance(on_redis, RedisFleetStore)
    assert isinstance(on_redis._runner, redis_runner.RedisScriptRunner)
    wire = on_redis._runner._wire
    assert wire is not None
    assert wire.is_open
    await eventually(lambda: wire._check is None, "the last check finds no pending call")
    assert wire.is_open
