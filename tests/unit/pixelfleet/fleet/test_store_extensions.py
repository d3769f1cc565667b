"""The contract of the fleet store, for every implementation: extensions of sessions."""

from tests.unit.pixelfleet.fleet.stores import Fleet, streamer


async def test_the_extension_of_a_session_is_requested_from_its_server(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("held", "waits")
    assert not await fleet.store.extend("held", 60.0)  # its player has not reached the server yet
    await fleet.reports(streamer(sessions=("held",)))
    assert await fleet.store.extend("held", 600.0)
    assert not await fleet.store.extend("waits", 600.0)
    assert not await fleet.store.extend("nobody", 600.0)
    answer = await fleet.reports(streamer(sessions=("held",)))
    assert (answer.extend, answer.end) == ((("held", 600.0),), ())
    assert (await fleet.reports(streamer(sessions=("held",)))).extend == ()


async def test_equal_extensions_add_up(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("held")
    await fleet.reports(streamer(sessions=("held",)))
    for _ in range(2):
        assert await fleet.store.extend("held", 600.0)
        fleet.clock.advance(0.001)
    assert await fleet.store.end("held")
    answer = await fleet.reports(streamer(sessions=("held",)))
    assert (answer.extend, answer.end) == ((("held", 600.0),) * 2, ("held",))


async def test_a_session_that_only_its_server_knows_can_be_extended(fleet: Fleet) -> None:
    await fleet.reports(streamer(sessions=("again",)))
    assert not await fleet.store.extend("again", 60.0)
    assert not await fleet.store.extend("again", 60.0, server_id="nowhere")
    assert await fleet.store.extend("again", 60.0, server_id="s1")
    assert (await fleet.reports(streamer(sessions=("again",)))).extend == (("again", 60.0),)
