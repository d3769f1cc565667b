"""The contract of the fleet store after a reset: matching resumes soon, and no legacy streamer is leased twice."""

import pytest

from pixelfleet.fleet.bounds import ARRIVAL_SECONDS, WARM_UP_SECONDS
from pixelfleet.fleet.model import Lease, LeaseState, Reported, Waiting
from tests.unit.pixelfleet.fleet.stores import Fleet, streamer, ticket

A_BIT = 0.02
NATIVE, LEGACY = "native/cam", "legacy/cam"
SESSION = "0" * 31 + "a"


async def restores(fleet: Fleet, epoch: str, *waiting: Waiting, replica: str = "r1") -> None:
    """Send a heartbeat with an earlier epoch, and restore waiting tickets."""
    assert (await fleet.store.renew(replica, epoch)).epoch != epoch
    await fleet.store.restore(replica, [(each.ticket, each.arrived) for each in waiting], [])


async def legacy_reports(fleet: Fleet, *, players: int = 0) -> Reported:
    return await fleet.reports(streamer("legacy", legacy=True, players=players), owner="r1")


async def available(fleet: Fleet) -> int:
    return (await fleet.store.totals()).apps["app"].available


async def test_after_a_flush_only_legacy_streamers_wait_until_earlier_leases_have_lapsed(fleet: Fleet) -> None:
    epoch = (await fleet.renews()).epoch
    waiting = [await fleet.waits(ticket(name)) for name in ("first", "second")]
    await fleet.loses_data()
    begun = fleet.clock.now
    await restores(fleet, epoch, *waiting)
    await legacy_reports(fleet)
    await fleet.reports(streamer("native"))

    fleet.clock.now = begun + WARM_UP_SECONDS - A_BIT
    renewal = await fleet.renews()
    assert renewal.warming_up
    assert renewal.matching_in == pytest.approx(A_BIT)
    assert await fleet.queue() == ["first", "second"]
    fleet.clock.now = begun + WARM_UP_SECONDS
    renewal = await fleet.renews()
    assert not renewal.warming_up
    assert renewal.matching_in == 0
    assert await fleet.matches() == {"first": NATIVE}
    await fleet.reports(streamer("native", sessions=("first",)))

    while fleet.clock.now < begun + ARRIVAL_SECONDS - 2 * A_BIT:
        assert await fleet.queue() == ["second"], "a lease from before the flush may still be used"
        await fleet.passes(min(0.5, begun + ARRIVAL_SECONDS - A_BIT - fleet.clock.now), servers=("native",))
    assert await fleet.queue() == ["second"]
    fleet.clock.now = begun + ARRIVAL_SECONDS
    await fleet.store.totals()  # no report and no new ticket
    assert (await fleet.matches())["second"] == LEGACY


@pytest.mark.parametrize("earlier_epoch", [True, False])
async def test_a_first_epoch_has_no_earlier_leases(fleet: Fleet, *, earlier_epoch: bool) -> None:
    epoch = (await fleet.renews()).epoch
    await fleet.loses_data()
    await fleet.store.renew("r1", epoch if earlier_epoch else "")
    await legacy_reports(fleet)
    await fleet.passes(WARM_UP_SECONDS)
    assert await available(fleet) == (0 if earlier_epoch else 1)


async def test_after_a_failover_free_legacy_streamers_wait_and_others_do_not(fleet: Fleet) -> None:
    await legacy_reports(fleet)
    await fleet.reports(streamer("native"))
    assert await available(fleet) == 2
    await fleet.fails_over()
    begun = fleet.clock.now
    assert await available(fleet) == 1
    for session in ("first", "second"):
        await fleet.waits(ticket(session))
    await fleet.passes(WARM_UP_SECONDS, servers=("native",))
    assert await fleet.matches() == {"first": NATIVE}
    await fleet.passes(begun + ARRIVAL_SECONDS - fleet.clock.now - A_BIT, servers=("native",))
    assert await fleet.queue() == ["second"]
    await fleet.passes(A_BIT, servers=("native",))
    assert (await fleet.matches())["second"] == LEGACY


async def test_a_late_earlier_epoch_withholds_legacy_streamers_that_are_free_by_then(fleet: Fleet) -> None:
    epoch = (await fleet.renews()).epoch
    await fleet.loses_data()
    begun = fleet.clock.now
    await legacy_reports(fleet)
    await fleet.reports(streamer("native"))
    await fleet.passes(WARM_UP_SECONDS, servers=("native",))
    assert await available(fleet) == 2
    assert not (await fleet.store.renew("r2", epoch)).warming_up
    assert await available(fleet) == 1
    await fleet.gets(ticket("first"))
    await fleet.waits(ticket("second"))
    await fleet.passes(begun + ARRIVAL_SECONDS - fleet.clock.now - A_BIT, servers=("native",))
    assert await fleet.queue() == ["second"]
    await fleet.passes(A_BIT, servers=("native",))
    assert (await fleet.matches())["second"] == LEGACY


async def test_an_earlier_epoch_after_all_leases_have_lapsed_withholds_nothing(fleet: Fleet) -> None:
    epoch = (await fleet.renews()).epoch
    await fleet.loses_data()
    await legacy_reports(fleet)
    await fleet.passes(ARRIVAL_SECONDS)
    await fleet.store.renew("r2", epoch)
    assert await available(fleet) == 1


async def test_a_failover_after_a_flush_begins_an_epoch(fleet: Fleet) -> None:
    """The process that was flushed is not known to the store."""
    await fleet.loses_data()
    flushed = (await fleet.store.renew("r1", "")).epoch
    await fleet.fails_over()
    assert (await fleet.store.renew("r1", flushed)).epoch != flushed


@pytest.mark.parametrize("wants", [LEGACY, "cam", "*"])
async def test_a_withheld_streamer_admits_spectators_only(fleet: Fleet, wants: str) -> None:
    await legacy_reports(fleet)
    await fleet.fails_over()
    await fleet.passes(WARM_UP_SECONDS)
    await fleet.waits(ticket("p", wants=wants))
    assert (await fleet.gets(ticket("q", wants=wants, spectator=True))).spectator
    await fleet.passes(ARRIVAL_SECONDS)
    assert await fleet.matches() == {"p": LEGACY, "q": LEGACY}


async def test_a_withheld_streamer_stays_leased_to_a_restored_session(fleet: Fleet) -> None:
    await legacy_reports(fleet)
    lease = await fleet.gets(ticket("plays"))
    epoch = (await fleet.renews()).epoch
    await fleet.loses_data()
    await fleet.store.renew("r1", epoch)
    await fleet.store.restore("r1", [], [(ticket("plays"), lease)])
    await legacy_reports(fleet, players=1)
    await fleet.waits(ticket("next"))
    await fleet.passes(ARRIVAL_SECONDS + A_BIT)
    assert await fleet.matches() == {"plays": LEGACY}
    await fleet.store.leave("plays")
    await legacy_reports(fleet, players=0)
    assert await fleet.matches() == {"next": LEGACY}


@pytest.mark.parametrize("failures", [1, 6])
async def test_a_withheld_streamer_may_be_quarantined_for_a_shorter_or_a_longer_time(
    fleet: Fleet, failures: int
) -> None:
    await legacy_reports(fleet)
    for number in range(failures):
        await fleet.store.reserve(ticket(f"page{number}"))
        await fleet.store.give_back(f"page{number}", unreachable=True)
        if number < failures - 1:
            await fleet.passes(2.0**number)
    (view,) = (await fleet.snapshot()).streamers
    await fleet.fails_over()
    free_at = max(view.quarantined_until, fleet.clock.now + ARRIVAL_SECONDS)
    assert (free_at == view.quarantined_until) is (failures == 6)
    await fleet.waits(ticket("p"))
    await fleet.passes(free_at - fleet.clock.now - A_BIT)
    assert await fleet.queue() == ["p"]
    await fleet.passes(A_BIT)
    assert list(await fleet.matches()) == ["p"]


async def test_a_drain_is_restored_also_after_the_warm_up(fleet: Fleet) -> None:
    await legacy_reports(fleet)
    await fleet.store.set_operator_drain(LEGACY, on=True)
    renewal = await fleet.renews("r1", "r2")
    await fleet.loses_data()
    await fleet.store.renew("r1", renewal.epoch)
    await fleet.passes(WARM_UP_SECONDS + A_BIT)
    await fleet.store.renew("r2", renewal.epoch)
    await fleet.store.restore("r2", [], [], [], renewal.operator_drained)
    assert (await fleet.renews()).operator_drained == (LEGACY,)


async def test_nothing_counts_as_gone_while_reports_may_be_missing(fleet: Fleet) -> None:
    epoch = (await fleet.renews()).epoch
    await fleet.loses_data()
    await fleet.store.renew("r1", epoch)
    await fleet.passes(WARM_UP_SECONDS + A_BIT)
    await fleet.waits(ticket("watches", wants=SESSION, may_share=True))
    (view,) = await fleet.store.lanes(["app\x1f"])
    assert view.served


@pytest.mark.parametrize("legacy", [False, True])
async def test_a_lease_that_a_failover_has_lost_is_restored(fleet: Fleet, *, legacy: bool) -> None:
    waiting = await fleet.waits(ticket("p"))
    report = streamer(legacy=legacy)
    await fleet.reports(streamer(ready=False, legacy=legacy), owner="r1" if legacy else "")
    await fleet.waits(ticket("next"))
    # The store has a state from before the match.
    await fleet.fails_over()
    lost = Lease(session_id="p", replica_id="r1", streamer=report, state=LeaseState.CLAIMED, arrived=waiting.arrived)
    await fleet.renews()
    await fleet.store.restore("r1", [], [(ticket("p"), lost)], ["next"])
    assert {name: each.state for name, each in (await fleet.leases()).items()} == {"p": LeaseState.CLAIMED}
    await fleet.reports(report, owner="r1" if legacy else "")
    await fleet.passes(WARM_UP_SECONDS + A_BIT, servers=() if legacy else ("s1",))
    assert await fleet.matches() == {"p": "s1/cam"}
    assert await fleet.queue() == ["next"]


async def test_an_epoch_of_the_previous_release_is_read(fleet: Fleet) -> None:
    """It writes no time for legacy streamers, and matches nobody until all earlier leases have lapsed."""
    await legacy_reports(fleet)
    await fleet.fails_over()
    begun = fleet.clock.now
    await fleet.read("HDEL", "epoch", "recovered")
    await fleet.read("HSET", "epoch", "until", str(round((begun + ARRIVAL_SECONDS) * 1e6)))
    await fleet.read("ZADD", "due", str(round((begun + ARRIVAL_SECONDS) * 1e6)), "e:")
    await fleet.waits(ticket("p"))
    await fleet.passes(ARRIVAL_SECONDS - A_BIT)
    assert (await fleet.renews()).matching_in == pytest.approx(A_BIT)
    assert await fleet.queue() == ["p"]
    await fleet.passes(A_BIT)
    assert await fleet.matches() == {"p": LEGACY}
