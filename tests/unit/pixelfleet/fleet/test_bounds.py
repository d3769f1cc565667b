"""Every bound of the store is exceeded, on every implementation.

The numbers are written out: a bound that is changed in bounds.py, or is not the one that is used, fails here.
"""

import re
from importlib.resources import files

import pytest

from pixelfleet.fleet import bounds
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import Lease, Waiting, rank_of
from pixelfleet.fleet.redis.scripts import NUMBERS, SCRIPTS, STEPS, TIMES, library_text
from pixelfleet.fleet.store import Placed, StoreUnavailableError, TooManyChoicesError
from tests.unit.pixelfleet.fleet.stores import Clock, Fleet, streamer, ticket

A_BIT = 0.01

NO_BOUNDS: dict[str, set[float]] = {
    "redeem": {1000},  # microseconds in a millisecond
    "steps/begin": {40, 1099511627776, 100},  # how whole numbers are written
    "steps/facts": {*range(13, 26)},  # places of facts
}


def sessions(count: int) -> list[str]:
    return [f"p{number:03}" for number in range(count)]


# -- heartbeats -------------------------------------------------------------------------------------


def test_three_heartbeats_fit_into_what_a_report_holds() -> None:
    assert bounds.HEARTBEAT_SECONDS == 2.0
    assert bounds.EXPIRY_SECONDS >= 3 * bounds.HEARTBEAT_SECONDS


def test_a_match_that_was_not_announced_is_found_before_its_claim_lapses() -> None:
    assert bounds.RENEW_SECONDS == 1.0
    assert bounds.RENEW_SECONDS <= bounds.CLAIM_SECONDS


async def test_a_report_holds_for_6_seconds(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    fleet.clock.advance(6.0 - A_BIT)
    assert len((await fleet.snapshot()).streamers) == 1
    fleet.clock.advance(2 * A_BIT)
    assert (await fleet.snapshot()).streamers == ()


async def test_a_replica_lives_for_6_seconds(fleet: Fleet) -> None:
    await fleet.joins("p")
    await fleet.keeps()
    fleet.clock.advance(6.0 - A_BIT)
    assert await fleet.queue() == ["p"]
    fleet.clock.advance(2 * A_BIT)
    assert await fleet.queue() == []


# -- promises ---------------------------------------------------------------------------------------


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


async def test_a_page_arrives_within_45_seconds(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.store.reserve(ticket("page"))
    await fleet.passes(45.0 - A_BIT, servers=("s1",))
    assert list(await fleet.matches()) == ["page"]
    await fleet.passes(2 * A_BIT, servers=("s1",))
    assert await fleet.matches() == {}


async def test_an_epoch_that_follows_another_matches_nobody_for_10_seconds_and_the_first_one_for_2_5(
    fleet: Fleet,
) -> None:
    now = fleet.clock.now
    await fleet.run("epoch", "another server process")
    fleet.clock.now = now + 10.0 - A_BIT
    assert (await fleet.store.totals()).warming_up
    fleet.clock.now = now + 10.0 + A_BIT
    assert not (await fleet.store.totals()).warming_up
    await fleet.read("DEL", "epoch")
    now = fleet.clock.now
    assert (await fleet.store.totals()).warming_up
    fleet.clock.now = now + 2.5 - A_BIT
    assert (await fleet.store.totals()).warming_up
    fleet.clock.now = now + 2.5 + A_BIT
    assert not (await fleet.store.totals()).warming_up


# -- streamers that cannot be reached ---------------------------------------------------------------


@pytest.mark.parametrize("streamers", [8, 9])
async def test_a_ticket_avoids_8_streamers_and_then_forgets_the_first(fleet: Fleet, streamers: int) -> None:
    await fleet.keeps("r1", "r2")
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


async def test_a_streamer_is_left_alone_for_1_second_first_and_60_at_most(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=0))
    await fleet.joins(*sessions(20))
    expected = [1, 2, 4, 8, 16, 32, *[60] * 14]
    for number, (session, seconds) in enumerate(zip(sessions(20), expected, strict=True), 1):
        await fleet.store.give_back(session, unreachable=True)
        view = await fleet.store.find("cam")
        assert view is not None
        assert view.quarantined_until == pytest.approx(fleet.clock.now + seconds)
        assert view.failures == min(number, 16), "no more are counted"


async def test_a_failed_dial_counts_for_120_seconds(fleet: Fleet) -> None:
    await fleet.keeps("r1", "r2")
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
async def test_2_replicas_must_fail_to_reach_a_streamer(fleet: Fleet, replicas: int, needed: int) -> None:
    names = [f"r{number}" for number in range(replicas)]
    await fleet.keeps(*names)
    await fleet.reports(streamer(capacity=0))
    for name in names:
        await fleet.gets(ticket(name, replica=name))
    quarantined = []
    for name in names:
        await fleet.store.give_back(name, unreachable=True)
        quarantined.append((await fleet.store.totals()).apps["app"].quarantined)
    assert quarantined.index(1) + 1 == needed


# -- choices of labels, and unused apps -------------------------------------------------------------


async def test_players_of_an_app_wait_for_64_choices_of_labels(fleet: Fleet) -> None:
    for number in range(64):
        await fleet.waits(ticket(f"p{number}", labels={"region": f"{number:02}"}))
    with pytest.raises(TooManyChoicesError):
        await fleet.store.join(ticket("one-more", labels={"region": "other"}))
    assert len(await fleet.read("ZRANGE", "sel:app", "0", "-1")) == 64


async def test_the_last_use_of_a_choice_is_known_to_a_second(fleet: Fleet) -> None:
    begun = fleet.clock.now
    uses = []
    for session, seconds in (("a", 0.0), ("b", 1.0), ("c", 1.0 + A_BIT)):
        fleet.clock.now = begun + seconds
        await fleet.waits(ticket(session, labels={"region": "eu"}))
        uses.append(int(await fleet.read("ZSCORE", "sel:app", "region=eu")) / 1e6 - begun)
    assert uses == pytest.approx([0.0, 0.0, 1.0 + A_BIT])


async def test_an_app_without_anything_is_known_for_an_hour(fleet: Fleet) -> None:
    begun = fleet.clock.now
    await fleet.joins("p")
    await fleet.store.leave("p")
    fleet.clock.now = begun + 3600.0 - A_BIT
    assert list((await fleet.store.totals()).apps) == ["app"]
    fleet.clock.now = begun + 3600.0 + A_BIT
    assert not (await fleet.store.totals()).apps


# -- ranks ------------------------------------------------------------------------------------------


def test_ranks_are_0_for_the_highest_priority_at_their_epoch_and_exact_in_a_double_for_the_lowest() -> None:
    assert rank_of(1_767_225_600, 7) == 0
    assert rank_of(1_767_225_600, 0) == 7 * 10**15
    assert rank_of(1_767_225_600 + 30 * 365 * 86400, 0) < 2**53


# -- what players are told of a queue ---------------------------------------------------------------


async def test_50_positions_are_exact_and_each_further_one_is_a_quarter_more(fleet: Fleet) -> None:
    await fleet.joins(*sessions(120))
    (view,) = await fleet.store.lanes(["app\x1f"])
    assert list(view.head) == sessions(50)
    assert [place for _, place in view.marks] == [51, 63, 78, 97, 120]


async def test_128_ends_of_sessions_are_kept_and_cut_to_64(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=0))
    await fleet.joins(*sessions(129))
    await fleet.reports(streamer(capacity=0, sessions=tuple(sessions(129))))
    ends = []
    for left in (1, 0):
        await fleet.reports(streamer(capacity=0, sessions=tuple(sessions(left))))
        ends.append(await fleet.read("LLEN", "ends:app"))
    assert ends == [128, 64]


# -- what one call does at most ---------------------------------------------------------------------


@pytest.mark.parametrize(("avoiding", "served"), [(63, True), (64, False)])
async def test_a_streamer_looks_64_tickets_ahead(fleet: Fleet, avoiding: int, *, served: bool) -> None:
    await fleet.keeps("r1", "r2")
    await fleet.reports(streamer(capacity=avoiding))
    await fleet.joins(*sessions(avoiding))
    await fleet.waits(ticket("good", replica="r2"))
    await fleet.reports(streamer(capacity=0, ready=False))
    for session in sessions(avoiding):
        await fleet.store.give_back(session, unreachable=True)
    await fleet.reports(streamer(capacity=avoiding))
    assert list(await fleet.matches()) == (["good"] if served else [])


async def test_a_streamer_serves_64_and_then_256_at_once(fleet: Fleet) -> None:
    await fleet.joins(*sessions(400))
    await fleet.reports(streamer(capacity=0))
    served = [await fleet.read("SCARD", "sl:s1/cam")]
    for _ in range(2):
        await fleet.store.leave()
        served.append(await fleet.read("SCARD", "sl:s1/cam"))
    assert served == [64, 64 + 256, 400]


async def test_64_lanes_are_looked_at_for_somebody_to_place(fleet: Fleet) -> None:
    await fleet.keeps("r1", "r2")
    for session in sessions(70):
        await fleet.reports(streamer(session))
        await fleet.gets(ticket(session, wants=f"{session}/cam"))
        await fleet.store.give_back(session, unreachable=True)
    fleet.clock.advance(bounds.FIRST_QUARANTINE_SECONDS + A_BIT)
    assert [len((await fleet.keeps()).leases) for _ in range(3)] == [64, 6, 0]


async def test_32_facts_lapse_at_once(fleet: Fleet) -> None:
    await fleet.joins(*sessions(40))
    await fleet.reports(streamer(capacity=0))
    await fleet.reports(streamer(ready=False))
    fleet.clock.advance(bounds.CLAIM_SECONDS + A_BIT)
    waiting = []
    for _ in range(2):
        await fleet.store.leave()
        waiting.append(await fleet.read("ZCARD", "wait:app"))
    assert waiting == [32, 40]


async def test_500_sessions_and_100_servers_go_at_once_with_their_replica(fleet: Fleet) -> None:
    for number in range(110):
        await fleet.reports(streamer(f"s{number}", app="b", legacy=True), owner="r1")
    await fleet.joins(*sessions(510))
    fleet.clock.advance(bounds.EXPIRY_SECONDS + A_BIT)
    left = []
    for _ in range(2):
        await fleet.store.leave()
        left.append((await fleet.read("SCARD", "rt:r1"), await fleet.read("SCARD", "rv:r1")))
    assert left == [(10, 10), (0, 0)]


async def test_500_sessions_are_restored_at_once(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = fleet.count_calls(monkeypatch, "run")
    await fleet.store.restore("r1", [(ticket(session), 900.0) for session in sessions(501)], [])
    assert [(len(words) - 5) // 12 for words in calls] == [500, 1]
    assert await fleet.queue() == sessions(501)


async def test_what_is_restored_so_far_is_known_for_60_seconds(fleet: Fleet) -> None:
    assert await fleet.time_to_live("said:r1") is None
    await fleet.run("restore", "r1", 1, 0, "[]", "p", *[""] * 11)
    assert await fleet.time_to_live("said:r1") == 60


async def test_500_keys_are_read_at_once_for_a_snapshot(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    await fleet.joins(*sessions(501))
    calls = fleet.count_calls(monkeypatch, "read")
    assert len((await fleet.snapshot()).queue) == 501
    tickets = [len(commands) for commands in calls if "t:p" in str(commands[0][1])]
    assert tickets == [500, 1]


# -- what may be used once --------------------------------------------------------------------------


async def test_the_store_in_memory_remembers_100_000_things_used_up(clock: Clock) -> None:
    store = MemoryFleetStore(clock)
    for number in range(99_999):
        assert await store.redeem(f"{number}", clock.now + 60)
    assert await store.redeem("short", clock.now + 1)
    with pytest.raises(StoreUnavailableError):
        await store.redeem("one more", clock.now + 60)
    assert not await store.redeem("7", clock.now + 60)
    clock.advance(1.0)
    assert await store.redeem("one more", clock.now + 60), "there is room again"


# -- all of them ------------------------------------------------------------------------------------


def test_bounds_are_named_in_one_place() -> None:
    """The scripts are given what they use, and use what they are given."""
    text = library_text()
    for name in (*TIMES, *NUMBERS):
        assert text.count(f"local {name} = ") == 1, name
        assert len(text.split(name)) > 2, f"{name} is not used"


@pytest.mark.parametrize("name", [*SCRIPTS, *(f"steps/{name}" for name in STEPS)])
def test_a_script_has_no_bound_of_its_own(name: str) -> None:
    """Numbers up to 12 are places in lists, and steps over them; a bound is seldom so small."""
    text = files("pixelfleet.fleet.redis").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    code = re.sub(r"--.*", "", text)
    found = {float(number) for number in re.findall(r"(?<![\w\\%.])\d+(?:\.\d+)?", code)}
    assert {number for number in found if number > 12} <= NO_BOUNDS.get(name, set())
