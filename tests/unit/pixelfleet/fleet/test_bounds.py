"""Tests that exceed every bound of the store, on every implementation.

The numbers are written out, so that a changed or unused bound of bounds.py fails a test.
"""

import re
import secrets
import uuid
from importlib.resources import files

import pytest

from pixelfleet.fleet import bounds
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import Lease, Waiting, rank_of
from pixelfleet.fleet.redis.scripts import NUMBERS, SCRIPTS, STEPS, TIMES, library_text
from pixelfleet.fleet.store import NothingServesError, Placed, StoreUnavailableError, TooManyChoicesError
from tests.unit.pixelfleet.fleet.stores import Clock, Fleet, streamer, ticket

A_BIT = 0.01

NO_BOUNDS: dict[str, set[float]] = {
    "join": {13, 14},  # the indices of the origin and of the first limit
    "seconds_left": {1_000_000},  # microseconds in a second
    "steps/uses": {1_000_000},
    "records": {1000},  # milliseconds in a second
    "redeem": {1000},  # microseconds in a millisecond
    "report": {13},  # arguments of a streamer
    "restore": {13, 14},  # arguments of a session
    "steps/begin": {40, 1099511627776, 100},  # formatting of whole numbers
    "steps/facts": {*range(13, 26)},  # indices of fields
    "steps/tickets": {1_000_000},  # microseconds in a second
}


def sessions(count: int) -> list[str]:
    return [f"p{number:03}" for number in range(count)]


# -- heartbeats -------------------------------------------------------------------------------------


def test_a_report_expires_after_three_heartbeats() -> None:
    assert bounds.HEARTBEAT_SECONDS == 2.0
    assert bounds.EXPIRY_SECONDS >= 3 * bounds.HEARTBEAT_SECONDS


def test_a_replica_renews_within_the_time_of_a_claim() -> None:
    assert bounds.RENEW_SECONDS == 1.0
    assert bounds.RENEW_SECONDS <= bounds.CLAIM_SECONDS


async def test_a_report_expires_after_6_seconds(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    fleet.clock.advance(6.0 - A_BIT)
    assert len((await fleet.snapshot()).streamers) == 1
    fleet.clock.advance(2 * A_BIT)
    assert (await fleet.snapshot()).streamers == ()


async def test_a_replica_expires_after_6_seconds(fleet: Fleet) -> None:
    await fleet.joins("p")
    await fleet.renews()
    fleet.clock.advance(6.0 - A_BIT)
    assert await fleet.queue() == ["p"]
    fleet.clock.advance(2 * A_BIT)
    assert await fleet.queue() == []


# -- leases -----------------------------------------------------------------------------------------


async def test_a_match_is_claimed_within_1_second(fleet: Fleet) -> None:
    await fleet.joins("p")
    await fleet.reports(streamer())
    await fleet.reports(streamer(ready=False))
    fleet.clock.advance(1.0 - A_BIT)
    assert list(await fleet.matches()) == ["p"]
    fleet.clock.advance(2 * A_BIT)
    assert await fleet.queue() == ["p"]


async def test_a_player_arrives_within_10_seconds(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p")
    await fleet.reports(streamer(ready=False))
    await fleet.passes(10.0 - A_BIT, servers=("s1",))
    assert list(await fleet.matches()) == ["p"]
    await fleet.passes(2 * A_BIT, servers=("s1",))
    assert await fleet.queue() == ["p"]


async def test_a_reservation_expires_after_45_seconds(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.store.reserve(ticket("page"))
    await fleet.passes(45.0 - A_BIT, servers=("s1",))
    assert list(await fleet.matches()) == ["page"]
    await fleet.passes(2 * A_BIT, servers=("s1",))
    assert await fleet.matches() == {}


@pytest.mark.parametrize("is_first", [True, False])
async def test_an_epoch_warms_up_for_2_5_seconds(fleet: Fleet, *, is_first: bool) -> None:
    if is_first:
        await fleet.loses_data()
    else:
        await fleet.fails_over()
    now = fleet.clock.now
    assert (await fleet.store.totals()).warming_up
    fleet.clock.now = now + 2.5 - A_BIT
    assert (await fleet.store.totals()).warming_up
    fleet.clock.now = now + 2.5 + A_BIT
    assert not (await fleet.store.totals()).warming_up


async def test_legacy_streamers_of_a_later_epoch_are_withheld_for_10_seconds(fleet: Fleet) -> None:
    await fleet.fails_over()
    await fleet.reports(streamer(legacy=True), owner="r1")
    now = fleet.clock.now
    await fleet.passes(10.0 - A_BIT)
    await fleet.waits(ticket("p"))
    fleet.clock.now = now + 10.0 + A_BIT
    assert list(await fleet.matches()) == ["p"]


# -- exclusion and quarantine -----------------------------------------------------------------------


@pytest.mark.parametrize("streamers", [8, 9])
async def test_a_ticket_excludes_8_streamers_and_then_drops_the_first(fleet: Fleet, streamers: int) -> None:
    await fleet.renews("r1", "r2")
    for number in range(streamers):
        await fleet.reports(streamer(f"s{number}"))
        fleet.clock.advance(A_BIT)
    placed: Placed | None = await fleet.gets(ticket("p"))
    for number in range(streamers):
        assert isinstance(placed, Lease)
        assert placed.streamer.server_id == f"s{number}"
        placed = await fleet.store.give_back("p", unreachable=True)
    if streamers == 8:
        assert isinstance(placed, Waiting)
    else:
        assert isinstance(placed, Lease)
        assert placed.streamer.server_id == "s0"


async def test_a_first_quarantine_lasts_1_second_and_the_longest_60(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=0))
    await fleet.joins(*sessions(20))
    expected = [1, 2, 4, 8, 16, 32, *[60] * 14]
    for number, (session, seconds) in enumerate(zip(sessions(20), expected, strict=True), 1):
        await fleet.store.give_back(session, unreachable=True)
        view = await fleet.store.find("cam")
        assert view is not None
        assert view.quarantined_until == pytest.approx(fleet.clock.now + seconds)
        assert view.failures == min(number, 16), "the count is limited"


async def test_a_failed_dial_counts_for_120_seconds(fleet: Fleet) -> None:
    await fleet.renews("r1", "r2")
    await fleet.reports(streamer(capacity=0, legacy=True), owner="r1")
    await fleet.joins("p")
    failures = []
    for seconds in (120.0 - A_BIT, 120.0 + A_BIT, 0.0):
        await fleet.store.give_back("p", unreachable=True)
        view = await fleet.store.find("cam")
        assert view is not None
        failures.append(view.failures)
        await fleet.passes(seconds, replicas=("r1", "r2"))
    assert failures == [1, 2, 1]


@pytest.mark.parametrize(("replicas", "needed"), [(1, 1), (2, 2), (3, 2)])
async def test_2_replicas_must_fail_to_quarantine_a_streamer(fleet: Fleet, replicas: int, needed: int) -> None:
    names = [f"r{number}" for number in range(replicas)]
    await fleet.renews(*names)
    await fleet.reports(streamer(capacity=0))
    for name in names:
        await fleet.gets(ticket(name, replica=name))
    quarantined = []
    for name in names:
        await fleet.store.give_back(name, unreachable=True)
        quarantined.append((await fleet.store.totals()).apps["app"].quarantined)
    assert quarantined.index(1) + 1 == needed


# -- selectors, and unused apps ---------------------------------------------------------------------


async def test_an_app_has_64_selectors_at_most(fleet: Fleet) -> None:
    for number in range(64):
        await fleet.waits(ticket(f"p{number}", labels={"region": f"{number:02}"}))
    with pytest.raises(TooManyChoicesError):
        await fleet.store.join(ticket("one-more", labels={"region": "other"}))
    assert len(await fleet.read("ZRANGE", "sel:app", "0", "-1")) == 64


async def test_the_last_use_of_a_selector_has_a_resolution_of_a_second(fleet: Fleet) -> None:
    begun = fleet.clock.now
    uses = []
    for session, seconds in (("a", 0.0), ("b", 1.0), ("c", 1.0 + A_BIT)):
        fleet.clock.now = begun + seconds
        await fleet.waits(ticket(session, labels={"region": "eu"}))
        uses.append(int(await fleet.read("ZSCORE", "sel:app", "region=eu")) / 1e6 - begun)
    assert uses == pytest.approx([0.0, 0.0, 1.0 + A_BIT])


async def test_an_unused_app_is_kept_for_an_hour(fleet: Fleet) -> None:
    begun = fleet.clock.now
    await fleet.reports(streamer())
    await fleet.reports(server="s1")
    fleet.clock.now = begun + 3600.0 - A_BIT
    assert list((await fleet.store.totals()).apps) == ["app"]
    fleet.clock.now = begun + 3600.0 + A_BIT
    assert not (await fleet.store.totals()).apps


async def test_64_apps_without_streamers_may_wait_at_once(fleet: Fleet) -> None:
    for number in range(64):
        await fleet.waits(ticket(f"p{number}", app=f"invented-{number}"))
    with pytest.raises(NothingServesError, match="no such application"):
        await fleet.store.join(ticket("one-more", app="invented-64"))
    await fleet.waits(ticket("same", app="invented-7"))
    await fleet.store.leave("p7")
    with pytest.raises(NothingServesError):
        await fleet.store.join(ticket("one-more", app="invented-64"))
    await fleet.store.leave("same")
    await fleet.waits(ticket("one-more", app="invented-64"))


async def test_a_client_may_be_the_first_to_wait_for_8_apps_without_streamers(fleet: Fleet) -> None:
    for number in range(8):
        await fleet.waits(ticket(f"p{number}", app=f"invented-{number}", client="a0"))
    with pytest.raises(NothingServesError, match="no such application"):
        await fleet.store.join(ticket("one-more", app="invented-8", client="a0"))
    await fleet.waits(ticket("same", app="invented-7", client="a0"))
    await fleet.waits(ticket("other", app="invented-8", client="b0"))
    await fleet.store.leave("p0")
    await fleet.waits(ticket("again", app="invented-9", client="a0"))


async def test_a_client_may_be_the_first_to_use_8_selectors_that_no_streamer_satisfies(fleet: Fleet) -> None:
    await fleet.reports(streamer(labels={"region": "eu"}))
    await fleet.gets(ticket("plays"))
    for number in range(8):
        await fleet.waits(ticket(f"p{number}", labels={"region": f"{number:02}"}, client="a0"))
    with pytest.raises(TooManyChoicesError):
        await fleet.store.join(ticket("one-more", labels={"region": "other"}, client="a0"))
    await fleet.waits(ticket("served", labels={"region": "eu"}, client="a0"))
    await fleet.waits(ticket("any", client="a0"))
    await fleet.waits(ticket("named", wants="s1/cam", client="a0"))
    await fleet.waits(ticket("elsewhere", app="other", labels={"region": "other"}, client="a0"))
    await fleet.waits(ticket("other", labels={"region": "other"}, client="b0"))
    await fleet.waits(ticket("same", labels={"region": "other"}, client="a0"))
    await fleet.store.leave("p0")
    await fleet.waits(ticket("again", labels={"region": "again"}, client="a0"))


async def test_the_record_of_unknown_apps_is_corrected_after_60_seconds(fleet: Fleet) -> None:
    await fleet.waits(ticket("p", app="invented"))
    begun = fleet.clock.now
    await fleet.read("SADD", "unknown", "left-over")
    await fleet.read("HSET", "epoch", "unk", "9")
    for seconds, waiting in ((60.0 - A_BIT, 9), (60.0 + A_BIT, 1)):
        await fleet.passes(begun + seconds - fleet.clock.now)
        assert (await fleet.store.totals()).unknown_waiting == waiting
    assert await fleet.read("SMEMBERS", "unknown") == [b"invented"]
    await fleet.store.leave("p")
    assert (await fleet.store.totals()).unknown_waiting == 0


def test_a_session_id_has_32_digits() -> None:
    assert len(secrets.token_hex(16)) == len(uuid.uuid4().hex) == bounds.SESSION_ID_LENGTH == 32


# -- ranks ------------------------------------------------------------------------------------------


def test_ranks_begin_at_0_and_are_exact_in_a_double() -> None:
    assert rank_of(1_767_225_600, 7) == 0
    assert rank_of(1_767_225_600, 0) == 7 * 10**15
    assert rank_of(1_767_225_600 + 30 * 365 * 86400, 0) < 2**53


# -- positions and estimates ------------------------------------------------------------------------


async def test_50_positions_are_exact_and_each_further_mark_is_a_quarter_more(fleet: Fleet) -> None:
    await fleet.joins(*sessions(120))
    (view,) = await fleet.store.lanes(["app\x1f"])
    assert list(view.head) == sessions(50)
    assert [place for _, place in view.marks] == [51, 63, 78, 97, 120]


async def test_128_ends_of_sessions_are_stored_and_cut_to_64(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=0))
    await fleet.joins(*sessions(129))
    await fleet.reports(streamer(capacity=0, sessions=tuple(sessions(129))))
    ends = []
    for remaining in (1, 0):
        await fleet.reports(streamer(capacity=0, sessions=tuple(sessions(remaining))))
        ends.append(await fleet.read("LLEN", "ends:app"))
    assert ends == [128, 64]


# -- limits of one call -----------------------------------------------------------------------------


@pytest.mark.parametrize(("excluding", "served"), [(63, True), (64, False)])
async def test_64_tickets_of_a_lane_are_examined_for_a_streamer(fleet: Fleet, excluding: int, *, served: bool) -> None:
    await fleet.renews("r1", "r2")
    await fleet.reports(streamer(capacity=excluding))
    await fleet.joins(*sessions(excluding))
    await fleet.waits(ticket("good", replica="r2"))
    await fleet.reports(streamer(capacity=0, ready=False))
    for session in sessions(excluding):
        await fleet.store.give_back(session, unreachable=True)
    await fleet.reports(streamer(capacity=excluding))
    assert list(await fleet.matches()) == (["good"] if served else [])


async def test_one_call_matches_64_tickets_with_a_streamer_and_the_next_256(fleet: Fleet) -> None:
    await fleet.joins(*sessions(400))
    await fleet.reports(streamer(capacity=0))
    served = [await fleet.read("SCARD", "sl:s1/cam")]
    for _ in range(2):
        await fleet.store.leave()
        served.append(await fleet.read("SCARD", "sl:s1/cam"))
    assert served == [64, 64 + 256, 400]


async def test_64_lanes_are_examined_at_once(fleet: Fleet) -> None:
    await fleet.renews("r1", "r2")
    for session in sessions(70):
        await fleet.reports(streamer(session))
        await fleet.gets(ticket(session, wants=f"{session}/cam"))
        await fleet.store.give_back(session, unreachable=True)
    fleet.clock.advance(bounds.FIRST_QUARANTINE_SECONDS + A_BIT)
    assert [len((await fleet.renews()).leases) for _ in range(3)] == [64, 6, 0]


async def test_32_due_facts_are_handled_at_once(fleet: Fleet) -> None:
    await fleet.joins(*sessions(40))
    await fleet.reports(streamer(capacity=0))
    await fleet.reports(streamer(ready=False))
    fleet.clock.advance(bounds.CLAIM_SECONDS + A_BIT)
    waiting = []
    for _ in range(2):
        await fleet.store.leave()
        waiting.append(await fleet.read("ZCARD", "wait:app"))
    assert waiting == [32, 40]


async def test_500_sessions_and_100_servers_are_dropped_at_once_with_their_replica(fleet: Fleet) -> None:
    for number in range(110):
        await fleet.reports(streamer(f"s{number}", app="b", legacy=True), owner="r1")
    await fleet.joins(*sessions(510))
    fleet.clock.advance(bounds.EXPIRY_SECONDS + A_BIT)
    remaining = []
    for _ in range(2):
        await fleet.store.leave()
        remaining.append((await fleet.read("SCARD", "rt:r1"), await fleet.read("SCARD", "rv:r1")))
    assert remaining == [(10, 10), (0, 0)]


async def test_500_sessions_are_restored_at_once(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = fleet.count_calls(monkeypatch, "run")
    await fleet.store.restore("r1", [(ticket(session), 900.0) for session in sessions(501)], [])
    assert [(len(words) - 5) // 14 for words in calls] == [500, 1]
    assert await fleet.queue() == sessions(501)


async def test_an_unfinished_restore_is_kept_for_60_seconds(fleet: Fleet) -> None:
    assert await fleet.time_to_live("said:r1") is None
    await fleet.run("restore", "r1", 1, 0, "[]", "p", *[""] * 13)
    assert await fleet.time_to_live("said:r1") == 60


async def test_500_keys_are_read_at_once_for_a_snapshot(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    await fleet.joins(*sessions(501))
    calls = fleet.count_calls(monkeypatch, "read")
    assert len((await fleet.snapshot()).queue) == 501
    tickets = [len(commands) for commands in calls if "t:p" in str(commands[0][1])]
    assert tickets == [500, 1]


async def test_500_records_are_read_at_once(fleet: Fleet) -> None:
    await fleet.store.keep_records(1000, 3600)
    await fleet.joins(*sessions(501))
    await fleet.store.leave(*sessions(501))
    assert len(await fleet.store.records()) == 500


# -- single use -------------------------------------------------------------------------------------


async def test_the_store_in_memory_keeps_100_000_redeemed_names(clock: Clock) -> None:
    store = MemoryFleetStore(clock)
    for number in range(99_999):
        assert await store.redeem(f"{number}", clock.now + 60)
    assert await store.redeem("short", clock.now + 1)
    with pytest.raises(StoreUnavailableError):
        await store.redeem("one more", clock.now + 60)
    assert not await store.redeem("7", clock.now + 60)
    clock.advance(1.0)
    assert await store.redeem("one more", clock.now + 60), "an expired name makes room"


# -- all of them ------------------------------------------------------------------------------------


def test_scripts_define_and_use_each_bound_once() -> None:
    """Each bound is passed to the scripts once, and used."""
    text = library_text()
    for name in (*TIMES, *NUMBERS):
        assert text.count(f"local {name} = ") == 1, name
        assert len(text.split(name)) > 2, f"{name} is not used"


@pytest.mark.parametrize("name", [*SCRIPTS, *(f"steps/{name}" for name in STEPS)])
def test_a_script_has_no_other_bounds(name: str) -> None:
    """Numbers up to 12 are indices and steps; a bound is seldom so small."""
    text = files("pixelfleet.fleet.redis").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    code = re.sub(r"--.*", "", text)
    found = {float(number) for number in re.findall(r"(?<![\w\\%.])\d+(?:\.\d+)?", code)}
    assert {number for number in found if number > 12} <= NO_BOUNDS.get(name, set())
