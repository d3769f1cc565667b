"""What a replica says to the store, also when that is away or has forgotten."""

import pytest

from matchmaker.broker import AT_ONCE, CONTACT_SECONDS
from matchmaker.notices import Matched
from pixelfleet.fleet.bounds import ARRIVAL_SECONDS, EXPIRY_SECONDS
from pixelfleet.fleet.model import LeaseState, Ticket
from pixelfleet.fleet.store import Placed, StoreUnavailableError
from tests.unit.matchmaker.fleet import Store, Turning, Waiter, ticket


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def turning(store: Store) -> Turning:
    return Turning(store)


async def ready(turning: Turning) -> None:
    assert await turning.turn()


# -- the usual way ----------------------------------------------------------------------------------


async def test_a_player_gets_a_free_streamer_at_once_and_the_next_one_when_it_is_free(turning: Turning) -> None:
    await ready(turning)
    await turning.store.streamer(legacy=True)
    first, second = await turning.join(2)
    assert (first.heard, second.heard) == (["matched"], ["waits"])
    assert list(turning.broker.waiting) == [second.ticket.session_id]
    await turning.leave(first.ticket.session_id)
    await turning.turn()
    assert second.heard == ["waits", "matched"]
    assert second.leases[0].state is LeaseState.CLAIMED
    assert not turning.broker.waiting


async def test_a_player_who_has_arrived_at_a_server_of_ours_is_that_servers(turning: Turning) -> None:
    await turning.store.streamer()
    (player,) = await turning.join()
    turning.broker.arrived(player.ticket.session_id)
    assert not turning.broker.knows(player.ticket.session_id)
    await turning.leave(player.ticket.session_id)
    assert turning.store.named("leave") == []


async def test_a_player_at_a_stock_server_stays_ours_and_its_end_is_said(turning: Turning) -> None:
    await turning.store.streamer(legacy=True)
    (player,) = await turning.join()
    turning.broker.arrived(player.ticket.session_id)
    assert turning.broker.knows(player.ticket.session_id)
    await turning.leave(player.ticket.session_id)
    assert turning.store.named("leave") == [(player.ticket.session_id, "here")]


async def test_a_streamer_that_cannot_be_reached_is_given_back_and_another_is_taken(turning: Turning) -> None:
    await turning.store.streamer(1)
    await turning.store.streamer(2)
    (player,) = await turning.join()
    lost = player.leases[0].streamer.key
    await turning.give_back(player)
    assert turning.store.named("give_back") == [(player.ticket.session_id, lost, True)]
    assert [lease.streamer.key for lease in player.leases] == [lost, "s1/cam" if lost == "s2/cam" else "s2/cam"]


async def test_whoever_gives_back_waits_in_its_old_place(turning: Turning) -> None:
    await turning.store.streamer()
    first, second = await turning.join(2)
    await turning.give_back(first)
    assert first.heard == ["matched", "waits"]
    # With one replica alone a streamer that it cannot reach is left alone by all.
    assert await turning.queue() == [first.ticket.session_id, second.ticket.session_id]


async def test_an_operators_end_reaches_the_player(turning: Turning) -> None:
    (player,) = await turning.join()
    assert await turning.store.inner.end(player.ticket.session_id)
    await turning.turn()
    assert player.heard == ["waits", "ended"]


async def test_a_promise_to_somebody_who_left_is_returned(turning: Turning) -> None:
    (player,) = await turning.join()
    session = player.ticket.session_id
    turning.broker.sessions.leave(session)
    await turning.store.streamer()
    await turning.turn()
    assert turning.store.named("leave") == [(session, "here")]
    assert not (await turning.store.inner.snapshot()).leases


async def matched_twice(turning: Turning) -> Waiter:
    """Return a player whose streamer has not answered for so long that another one was matched for it."""

    async def time_passes(seconds: float) -> None:
        turning.now += seconds
        turning.store.clock.now += seconds
        for number in (1, 2):
            await turning.store.streamer(number, sequence=round(turning.store.clock.now * 1000))

    await ready(turning)
    await time_passes(0.0)
    (player,) = await turning.join()
    for _ in range(3):
        await time_passes(ARRIVAL_SECONDS / 4)
        await ready(turning)
    await time_passes(ARRIVAL_SECONDS / 4 + 0.1)
    return player


async def known(turning: Turning) -> list[str]:
    """Return the sessions that the store knows."""
    seen = await turning.store.inner.snapshot()
    return [lease.session_id for lease in seen.leases] + await turning.queue()


async def test_a_second_streamer_is_returned_before_the_first_is_given_back(turning: Turning) -> None:
    # Else the player, which waits again or has a third one, would be taken out of the store with the second.
    player = await matched_twice(turning)
    await turning.broker.turn()
    await turning.give_back(player)
    await turning.broker.departures.send()
    assert await known(turning) == [player.ticket.session_id]
    assert player.heard == ["matched", "matched"]


async def test_a_second_streamer_is_returned_before_the_first_is_said_again(turning: Turning) -> None:
    player = await matched_twice(turning)
    turning.now += EXPIRY_SECONDS
    await turning.turn()
    assert len(turning.store.named("restore")) == 1
    (lease,) = (await turning.store.inner.snapshot()).leases
    assert (lease.session_id, lease.streamer) == (player.ticket.session_id, player.leases[0].streamer)


# -- the store is away ------------------------------------------------------------------------------


async def test_joins_that_could_not_be_said_are_said_later_in_the_old_order(turning: Turning) -> None:
    await ready(turning)
    before = await turning.join(2)
    turning.store.away = True
    meanwhile = await turning.join(250)
    assert {tuple(waiter.heard) for waiter in meanwhile} == {("waits", "lost")}
    turning.store.away = False
    late = await turning.join(1)
    await turning.turn()
    expected = [waiter.ticket.session_id for waiter in [*before, *meanwhile, *late]]
    assert await turning.queue() == expected
    assert {tuple(waiter.heard) for waiter in meanwhile} == {("waits", "lost", "found")}


@pytest.mark.parametrize("cut_after", [1, 2, AT_ONCE // 2, AT_ONCE + 1, AT_ONCE + 7])
async def test_a_store_that_goes_away_again_in_the_middle_changes_no_order(turning: Turning, cut_after: int) -> None:
    turning.store.away = True
    players = await turning.join(250)
    turning.store.away, turning.store.cut_after = False, cut_after
    assert not await turning.turn()
    said = len(turning.store.named("join"))
    assert said <= 1 + cut_after + AT_ONCE, "it goes on trying"
    turning.store.away, turning.store.cut_after = False, None
    assert await turning.turn()
    assert await turning.queue() == [player.ticket.session_id for player in players]


async def test_those_who_wait_are_told_once_of_each_time_that_the_store_is_lost(turning: Turning) -> None:
    await ready(turning)
    (player,) = await turning.join()
    for _ in range(2):
        turning.store.away = True
        for _ in range(3):
            assert not await turning.turn()
        turning.store.away = False
        await turning.turn()
        await turning.turn()
    assert player.heard == ["waits", "lost", "found", "lost", "found"]


async def test_leaves_that_could_not_be_said_are_repeated(turning: Turning) -> None:
    first, second = await turning.join(2)
    turning.store.away = True
    await turning.leave(first.ticket.session_id)
    assert await turning.queue() == [first.ticket.session_id, second.ticket.session_id]
    turning.store.away = False
    await turning.turn()
    assert await turning.queue() == [second.ticket.session_id]


async def test_a_player_who_leaves_before_it_could_be_said_is_never_said(turning: Turning) -> None:
    turning.store.away = True
    (player,) = await turning.join()
    await turning.leave(player.ticket.session_id)
    turning.store.away = False
    await turning.turn()
    assert await turning.queue() == []
    assert len(turning.store.named("join")) == 1


async def test_a_streamer_that_could_not_be_given_back_is_so_later(turning: Turning) -> None:
    await turning.store.streamer()
    (player,) = await turning.join()
    turning.store.away = True
    await turning.give_back(player)
    assert player.heard == ["matched", "waits", "lost"]
    turning.store.away = False
    await turning.turn()
    assert player.heard[-1] == "matched"


async def test_one_choice_too_many_is_that_players_matter_alone(turning: Turning) -> None:
    turning.store.away = True
    await turning.join(3)
    turning.store.away, turning.store.refuse_joins = False, True
    assert await turning.turn()
    assert all(player.heard == ["waits", "lost", "refused: too many different choices"] for player in turning.waiters)
    assert len(turning.broker) == 0
    (late,) = await turning.join()
    assert late.heard == ["refused: too many different choices"]


# -- the store has forgotten ------------------------------------------------------------------------


async def test_after_a_new_epoch_all_sessions_are_said_again_in_the_old_order(turning: Turning) -> None:
    await ready(turning)
    streamer = await turning.store.streamer(legacy=True)
    playing, *waiting = await turning.join(5)
    turning.store.forget()
    await turning.turn()
    assert await turning.queue() == [player.ticket.session_id for player in waiting]
    (lease,) = (await turning.store.inner.snapshot()).leases
    assert (lease.session_id, lease.streamer.key) == (playing.ticket.session_id, streamer.key)
    assert turning.restored == 1
    await turning.turn()
    assert turning.restored == 1


async def test_who_plays_is_said_to_a_store_that_has_forgotten_and_to_no_other(turning: Turning) -> None:
    await ready(turning)
    await turning.store.streamer()
    (player,) = await turning.join()
    session = player.ticket.session_id
    turning.broker.arrived(session)
    turning.now += EXPIRY_SECONDS + 1
    await turning.turn()
    assert turning.store.named("restore") == [("here", [], [], [], ())]
    turning.store.forget()
    await turning.store.streamer(sessions=(session,))
    await turning.turn()
    (lease,) = (await turning.store.inner.snapshot()).leases
    assert (lease.session_id, lease.replica_id, lease.state) == (session, "here", LeaseState.HELD)
    turning.now += EXPIRY_SECONDS + 1
    await turning.turn()
    assert turning.store.named("restore")[-1] == ("here", [], [], [session], ())


@pytest.mark.parametrize("ended_by", ["the player", "an operator"])
async def test_who_was_said_again_and_whose_server_is_gone_is_ended_by_us(turning: Turning, ended_by: str) -> None:
    await ready(turning)
    await turning.store.streamer()
    (player,) = await turning.join()
    session = player.ticket.session_id
    turning.broker.arrived(session)
    turning.store.forget()
    await turning.turn()
    assert [lease.session_id for lease in (await turning.store.inner.snapshot()).leases] == [session]
    if ended_by == "an operator":
        assert await turning.store.inner.end(session)
        await turning.turn()
        assert player.heard[-1] == "ended"
    await turning.leave(session)
    assert (await turning.store.inner.snapshot()).leases == ()


async def test_what_an_operator_holds_back_is_said_to_a_store_that_has_forgotten(turning: Turning) -> None:
    streamer = await turning.store.streamer()
    await turning.store.inner.set_operator_drain(streamer.key, on=True)
    await ready(turning)
    turning.store.forget()
    turning.store.cut_after = 1
    assert not await turning.turn()
    turning.store.away, turning.store.cut_after = False, None
    await turning.turn()
    assert turning.store.named("restore")[-1] == ("here", [], [], [], (streamer.key,))


async def test_sessions_that_the_store_gave_up_are_said_again_after_a_long_silence(turning: Turning) -> None:
    await ready(turning)
    (player,) = await turning.join()
    turning.store.clock.now += EXPIRY_SECONDS + 1
    turning.now += EXPIRY_SECONDS + 1
    await turning.store.inner.totals()  # whoever asks: what is over is over
    assert await turning.queue() == []
    await turning.turn()
    assert await turning.queue() == [player.ticket.session_id]


async def test_a_lease_is_used_only_when_the_store_has_been_heard_of_lately(turning: Turning) -> None:
    assert not turning.broker.may_dial()
    await ready(turning)
    assert turning.broker.may_dial()
    turning.now += CONTACT_SECONDS - 0.01
    assert turning.broker.may_dial()
    turning.now += 0.01
    assert not turning.broker.may_dial()
    turning.store.away = True
    await turning.turn()
    assert not turning.broker.may_dial()


# -- the end ----------------------------------------------------------------------------------------


async def test_the_queue_is_left_as_a_whole_and_those_with_a_streamer_stay(turning: Turning) -> None:
    await turning.store.streamer(legacy=True)
    playing, *_ = await turning.join(250)
    await turning.broker.leave_queue()
    assert await turning.queue() == []
    assert turning.broker.knows(playing.ticket.session_id)
    assert turning.broker.has_more_to_say
    await turning.leave(playing.ticket.session_id)
    assert not turning.broker.has_more_to_say


async def test_a_player_who_left_while_it_was_put_into_the_queue_is_taken_out_again(
    turning: Turning, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = ticket()
    join = turning.store.inner.join

    async def join_slowly(ticket: Ticket) -> Placed:
        turning.broker.leave(ticket.session_id)
        return await join(ticket)

    monkeypatch.setattr(turning.store.inner, "join", join_slowly)
    assert await turning.broker.join(waiting) is None
    await turning.broker.departures.send()
    assert await turning.queue() == []
    assert turning.broker.notices.empty()


@pytest.mark.parametrize("answered", [True, False])
async def test_a_lease_that_comes_while_the_player_asks_is_its_answer_and_no_notice(
    turning: Turning, monkeypatch: pytest.MonkeyPatch, answered: bool
) -> None:
    await ready(turning)
    join = turning.store.inner.join

    async def join_slowly(ticket: Ticket) -> Placed:
        placed = await join(ticket)
        await turning.store.streamer()
        await turning.broker.turn()
        if not answered:
            raise StoreUnavailableError("the answer was lost")
        return placed

    monkeypatch.setattr(turning.store.inner, "join", join_slowly)
    lease = await turning.broker.join(ticket())
    assert lease is not None
    assert lease.session_id == ticket().session_id
    notices = [turning.broker.notices.get_nowait() for _ in range(turning.broker.notices.qsize())]
    assert not any(isinstance(notice, Matched) for notice in notices)
