"""Apps without a streamer: their cost, their removal, and the demand."""

from contextlib import suppress

import pytest

from pixelfleet.fleet.bounds import (
    MAX_SELECTORS,
    MAX_SELECTORS_OF_CLIENT,
    MAX_UNKNOWN_APPS,
    MAX_UNKNOWN_APPS_OF_CLIENT,
)
from pixelfleet.fleet.memory.runner import MemoryScriptRunner
from pixelfleet.fleet.store import NothingServesError, TooManyChoicesError
from tests.unit.pixelfleet.fleet.stores import Fleet, streamer, ticket


async def keys_of(fleet: Fleet, app: str) -> list[str]:
    """Return the kinds of keys that the store has for an app."""
    kinds = ["all", "wait", "want", "unknown", "sel", "fit", "tot", "busy", "ends", "unusable", "claims"]
    return [kind for kind in kinds if await fleet.read("EXISTS", f"{kind}:{app}")]


async def test_an_app_without_a_streamer_is_removed_with_its_last_ticket(fleet: Fleet) -> None:
    await fleet.waits(ticket("a", app="invented", labels={"region": "eu"}))
    await fleet.waits(ticket("b", app="invented"))
    assert (await fleet.store.totals()).unknown_waiting == 2
    await fleet.store.leave("a")
    assert await keys_of(fleet, "invented") == ["wait", "unknown", "sel", "fit"]
    await fleet.store.leave("b")
    assert await keys_of(fleet, "invented") == []
    assert not await fleet.read("EXISTS", "unknown")
    assert not await fleet.read("EXISTS", "apps")
    assert (await fleet.store.totals()).unknown_waiting == 0


async def test_totals_have_only_known_apps(fleet: Fleet) -> None:
    await fleet.reports(streamer(app="served"))
    await fleet.store.set_policies({"declared": "spread"})
    for app in ("served", "served", "declared", "invented"):
        await fleet.store.join(ticket(f"{app}-{fleet.clock.now}", app=app))
        fleet.clock.advance(0.1)
    totals = await fleet.store.totals()
    assert {name: app.waiting for name, app in totals.apps.items()} == {"declared": 1, "served": 1}
    assert totals.unknown_waiting == 1


async def test_names_without_streamers_do_not_add_to_the_totals(fleet: Fleet) -> None:
    refused = 0
    for number in range(MAX_UNKNOWN_APPS + 100):
        try:
            await fleet.store.join(ticket(f"p{number}", app=f"invented-{number}"))
        except NothingServesError:
            refused += 1
    totals = await fleet.store.totals()
    assert refused == 100
    assert totals.apps == {}
    assert totals.unknown_waiting == MAX_UNKNOWN_APPS
    await fleet.store.leave(*(f"p{number}" for number in range(MAX_UNKNOWN_APPS)))
    if isinstance(fleet._on_redis._runner, MemoryScriptRunner):
        remaining = {key.decode().partition(":")[2] for key in fleet._on_redis._runner._keys.names()}
        assert not [key for key in remaining if "invented" in key]


async def test_an_app_with_a_streamer_or_a_setting_is_never_refused(fleet: Fleet) -> None:
    await fleet.reports(streamer(app="served"))
    await fleet.store.set_policies({"declared": "pack"})
    for number in range(MAX_UNKNOWN_APPS):
        await fleet.waits(ticket(f"p{number}", app=f"invented-{number}"))
    await fleet.gets(ticket("first", app="served"))
    await fleet.waits(ticket("second", app="served"))
    await fleet.waits(ticket("third", app="declared", labels={"region": "eu"}))
    await fleet.reports(server="s1")
    await fleet.waits(ticket("fourth", app="served"))


@pytest.mark.parametrize("how", ["report", "setting"])
async def test_an_app_with_waiting_tickets_becomes_known(fleet: Fleet, how: str) -> None:
    await fleet.waits(ticket("a", app="new"))
    await fleet.waits(ticket("b", app="new", labels={"region": "eu"}))
    await fleet.waits(ticket("c", app="invented"))
    if how == "report":
        await fleet.reports(streamer(app="new", ready=False))
    else:
        await fleet.store.set_policies({"new": "spread"})
    totals = await fleet.store.totals()
    assert {name: app.waiting for name, app in totals.apps.items()} == {"new": 2}
    assert totals.unknown_waiting == 1
    await fleet.store.leave("a", "b", "c")
    totals = await fleet.store.totals()
    assert {name: app.waiting for name, app in totals.apps.items()} == {"new": 0}
    assert totals.unknown_waiting == 0


async def test_a_streamer_of_an_unknown_app_gets_its_waiting_tickets(fleet: Fleet) -> None:
    await fleet.waits(ticket("a", app="new", labels={"region": "eu"}))
    await fleet.reports(streamer(app="new", labels={"region": "eu"}))
    assert await fleet.matches() == {"a": "s1/cam"}


async def test_a_reservation_of_an_unknown_app_leaves_nothing(fleet: Fleet) -> None:
    assert await fleet.store.reserve(ticket("page", replica="", app="invented", labels={"region": "eu"})) is None
    assert await keys_of(fleet, "invented") == []


async def test_restored_tickets_of_unknown_apps_are_never_refused(fleet: Fleet) -> None:
    tickets = [(ticket(f"p{number}", app=f"new-{number}"), 900.0) for number in range(MAX_UNKNOWN_APPS + 5)]
    await fleet.store.restore("r1", tickets, [])
    assert (await fleet.store.totals()).unknown_waiting == MAX_UNKNOWN_APPS + 5
    await fleet.reports(streamer(app="new-3"))
    assert (await fleet.store.totals()).unknown_waiting == MAX_UNKNOWN_APPS + 4
    await fleet.store.restore("r1", [], [])
    assert (await fleet.store.totals()).unknown_waiting == 0


@pytest.mark.parametrize("lost", ["lane:new\x1fregion=eu", "wait:new", "unknown", "unknown:new", "sel:new", "t:p"])
async def test_a_restatement_queues_a_ticket_of_an_unknown_app_whose_keys_are_lost(fleet: Fleet, lost: str) -> None:
    waiting = await fleet.waits(ticket("p", app="new", labels={"region": "eu"}))
    assert await fleet.read("DEL", lost) == 1
    for _ in range(2):
        await fleet.store.restore("r1", [(waiting.ticket, waiting.arrived)], [], complete=False)
    assert (await fleet.store.totals()).unknown_waiting == (1 if lost != "wait:new" else 2)
    await fleet.reports(streamer(app="new", labels={"region": "eu"}))
    assert await fleet.matches() == {"p": "s1/cam"}


async def test_a_restatement_does_not_change_the_entry_of_an_unknown_app(fleet: Fleet) -> None:
    waiting = [await fleet.waits(ticket(wants or "any", app="new", wants=wants)) for wants in ("", "nope")]
    before = await fleet.snapshot()
    await fleet.store.restore("r1", [(each.ticket, each.arrived) for each in waiting], [], complete=False)
    assert await fleet.snapshot() == before
    assert (await fleet.store.totals()).unknown_waiting == 2
    assert await fleet.read("EXISTS", "lanes") == 0


# -- the shares of clients --------------------------------------------------------------------------


async def claims(fleet: Fleet, key: str = "claims") -> dict[bytes, bytes]:
    pairs = iter(await fleet.read("HGETALL", key))
    return dict(zip(pairs, pairs, strict=True))


async def test_a_client_with_many_names_keeps_no_other_client_out(fleet: Fleet) -> None:
    refused = 0
    for number in range(MAX_UNKNOWN_APPS + 36):
        try:
            await fleet.store.join(ticket(f"p{number}", app=f"invented-{number}", client="bad0"))
        except NothingServesError:
            refused += 1
    assert refused == MAX_UNKNOWN_APPS + 36 - MAX_UNKNOWN_APPS_OF_CLIENT
    await fleet.waits(ticket("honest", app="new", client="c0"))
    await fleet.waits(ticket("local", app="newer"))


async def test_a_client_with_many_labels_keeps_no_other_client_out(fleet: Fleet) -> None:
    await fleet.store.set_policies({"app": "spread"})
    for number in range(MAX_SELECTORS + 36):
        page = ticket(f"page{number}", replica="", labels={"region": f"{number}"}, client="bad0")
        await fleet.store.reserve(page)  # registers the selector
        with suppress(TooManyChoicesError):
            await fleet.store.join(ticket(f"p{number}", labels={"region": f"{number}"}, client="bad0"))
    assert (await fleet.store.totals()).apps["app"].waiting == MAX_SELECTORS_OF_CLIENT
    await fleet.waits(ticket("honest", labels={"region": "eu"}, client="c0"))


async def test_claims_end_with_the_last_waiting_ticket(fleet: Fleet) -> None:
    await fleet.waits(ticket("a", app="new", labels={"region": "eu"}, client="a0"))
    await fleet.waits(ticket("b", app="new", labels={"region": "eu"}, client="b0"))
    await fleet.waits(ticket("c", app="new", labels={"region": "us"}, client="b0"))
    await fleet.waits(ticket("d", app="newer", client="b0"))
    await fleet.store.leave("a")
    assert await claims(fleet) == {b"new": b"a0", b"newer": b"b0"}
    assert await claims(fleet, "claims:new") == {b"region=eu": b"a0", b"region=us": b"b0"}
    await fleet.store.leave("b")
    assert await claims(fleet, "claims:new") == {b"region=us": b"b0"}
    await fleet.store.leave("c")
    await fleet.reports(streamer(app="newer"))
    assert await claims(fleet) == await claims(fleet, "claims:new") == {}


@pytest.mark.parametrize("person", ["", "da7a"])
async def test_claims_survive_a_restore(fleet: Fleet, person: str) -> None:
    labels = {"client": "f00d", "region": "eu"}
    await fleet.store.restore("r1", [(ticket("p", app="new", labels=labels, client="a0", person=person), 900.0)], [])
    await fleet.store.restore("r2", [(ticket("q", replica="r2", app="newer", labels=labels), 900.0)], [])
    assert await claims(fleet) == {b"new": b"a0"}
    assert list((await claims(fleet, "claims:new")).values()) == [b"a0"]


async def test_claims_that_another_release_left_do_not_count(fleet: Fleet) -> None:
    for number in range(MAX_UNKNOWN_APPS_OF_CLIENT):
        await fleet.read("HSET", "claims", f"gone-{number}", "a0")
        await fleet.read("HSET", "claims:app", f"region={number}", "a0")
    await fleet.store.set_policies({"app": "spread"})
    await fleet.waits(ticket("p", app="new", client="a0"))
    await fleet.waits(ticket("q", labels={"region": "eu"}, client="a0"))
    assert await claims(fleet) == {b"new": b"a0"}
    assert await claims(fleet, "claims:app") == {b"region=eu": b"a0"}


# -- demand -----------------------------------------------------------------------------------------


async def demand(fleet: Fleet, app: str = "app") -> int:
    return (await fleet.store.totals()).apps[app].demand


async def test_tickets_that_a_further_streamer_would_not_serve_are_no_demand(fleet: Fleet) -> None:
    await fleet.reports(streamer(labels={"region": "eu"}))
    await fleet.gets(ticket("plays"))
    await fleet.waits(ticket("any"))
    await fleet.waits(ticket("eu", labels={"region": "eu"}))
    assert await demand(fleet) == 3
    await fleet.waits(ticket("mars", labels={"region": "mars"}))
    await fleet.waits(ticket("named", wants="nope"))
    await fleet.waits(ticket("busy", wants="s1/cam"))
    totals = (await fleet.store.totals()).apps["app"]
    assert (totals.waiting, totals.unscalable, totals.demand) == (5, 3, 3)
    await fleet.reports(streamer("s2", labels={"region": "mars"}, ready=False))
    assert await demand(fleet) == 4
    await fleet.reports(server="s2")
    assert await demand(fleet) == 3


async def test_an_app_that_scales_from_zero_has_the_demand_of_every_label(fleet: Fleet) -> None:
    await fleet.store.set_policies({"app": "spread"})
    await fleet.waits(ticket("eu", labels={"region": "eu"}))
    await fleet.waits(ticket("any"))
    assert await demand(fleet) == 2


async def test_players_of_one_streamer_do_not_count_in_the_longest_wait(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.waits(ticket("named", wants="nope"))
    fleet.clock.advance(5.0)
    assert (await fleet.store.totals()).apps["app"].oldest_wait == 0.0


@pytest.mark.parametrize("selectors", [64, 65])
async def test_a_dropped_selector_is_counted_again_when_it_returns(fleet: Fleet, selectors: int) -> None:
    await fleet.reports(streamer(labels={"region": "eu"}, capacity=0))
    for number in range(selectors):
        await fleet.store.reserve(ticket(f"p{number}", replica="", labels={"region": f"{number}"}))
        fleet.clock.advance(0.01)
    assert await fleet.read("HGET", "fit:app", "region=0") == (b"0" if selectors == 64 else None)
    await fleet.waits(ticket("late", labels={"region": "0"}))
    assert (await fleet.store.totals()).apps["app"].unscalable == 1


# -- lanes ------------------------------------------------------------------------------------------


async def test_a_lane_is_served_while_a_streamer_satisfies_it(fleet: Fleet) -> None:
    lanes = [
        "app\x1f",
        "app\x1fregion=eu",
        "app\x1fregion=us",
        "app\x1f=*",
        "app\x1f=s1/cam",
        "app\x1f=cam",
        "app\x1f=no",
    ]

    async def served() -> list[bool]:
        return [view.served for view in await fleet.store.lanes(lanes)]

    for region in ("eu", "us"):
        await fleet.waits(ticket(region, labels={"region": region}))
    assert not any(await served())
    await fleet.reports(streamer(ready=False, labels={"region": "eu"}))
    assert await served() == [True, True, False, True, True, True, False]
    await fleet.reports(server="s1")
    assert not any(await served())


async def test_lanes_count_as_served_while_reports_may_be_missing(fleet: Fleet) -> None:
    await fleet.run("epoch", "another server process")
    (view,) = await fleet.store.lanes(["app\x1f"])
    assert view.served


async def test_a_session_that_is_over_is_refused_and_one_that_waits_is_not(fleet: Fleet) -> None:
    waits, over, endpoint = ("0" * 31 + digit for digit in "abc")
    await fleet.waits(ticket(waits))
    await fleet.waits(ticket("watches", wants=waits, may_share=True))
    await fleet.reports(streamer("s2", endpoint, app="b"))
    await fleet.gets(ticket("plays", app="b", wants=endpoint))
    for wants in (over, endpoint):
        with pytest.raises(NothingServesError, match="no such session"):
            await fleet.store.join(ticket("late", wants=wants, may_share=True))
    assert await fleet.store.reserve(ticket("page", replica="", wants=over)) is None
    await fleet.waits(ticket("text", wants=over.upper()))


async def unusable(fleet: Fleet) -> tuple[int, int]:
    """Return the unusable slots of the app, and the wanted ones."""
    totals = (await fleet.store.totals()).apps["app"]
    return totals.unusable, totals.wanted


async def test_slots_that_exist_and_take_no_player_are_wanted_in_addition(fleet: Fleet) -> None:
    for server in ("s1", "s2", "s3"):
        await fleet.reports(streamer(server))
    await fleet.gets(ticket("plays"))
    assert await unusable(fleet) == (0, 1)
    await fleet.store.set_operator_drain("s2/cam", on=True)
    assert await unusable(fleet) == (1, 2)
    await fleet.store.set_operator_drain("s3/cam", on=True)
    await fleet.waits(ticket("waits"))
    assert await unusable(fleet) == (2, 4)
    await fleet.store.set_operator_drain("s3/cam", on=False)
    assert await unusable(fleet) == (1, 3)
    await fleet.reports(server="s2")
    assert await unusable(fleet) == (0, 2)


async def test_the_players_of_a_draining_streamer_are_wanted_and_its_free_slots_are_not(fleet: Fleet) -> None:
    await fleet.reports(streamer(sessions=("plays",), capacity=3))
    assert await unusable(fleet) == (0, 1)
    await fleet.reports(streamer(sessions=("plays",), capacity=3, draining=True))
    assert await unusable(fleet) == (1, 1)
    await fleet.reports(streamer(capacity=3, draining=True))
    assert await unusable(fleet) == (0, 0)


async def test_a_streamer_without_a_limit_counts_as_one_slot(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=0))
    await fleet.store.set_operator_drain("s1/cam", on=True)
    assert await unusable(fleet) == (1, 1)


async def test_a_streamer_that_another_release_removed_is_not_counted(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.store.set_operator_drain("s1/cam", on=True)
    await fleet.read("DEL", "s:s1/cam")
    assert (await unusable(fleet))[0] == 0
    assert not await fleet.read("EXISTS", "unusable:app")
