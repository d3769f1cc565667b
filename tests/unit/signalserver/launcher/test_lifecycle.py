"""The phases of an application: examples, and what holds after any sequence of events."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from signalserver.application_metrics import RESTART_CAUSES
from signalserver.launcher.lifecycle import BACKOFF, CRASH_LOOP, Lifecycle, Phase, Present

NOTHING = Present(streamers=0, sessions=0, subscribed=False)
CONNECTED = Present(streamers=1, sessions=0, subscribed=False)
ADMITTED = Present(streamers=1, sessions=1, subscribed=False)
PLAYING = Present(streamers=1, sessions=1, subscribed=True)


def in_phase(application: Lifecycle, phase: Phase) -> bool:
    return application.phase is phase


def played(*, fresh: bool = True) -> Lifecycle:
    """Return an application whose only session began at 5 s."""
    application = Lifecycle(0.0, 300.0, fresh=fresh)
    application.observe(1.0, CONNECTED)
    application.observe(5.0, PLAYING)
    return application


def test_an_application_is_ready_when_its_streamer_is_connected() -> None:
    application = Lifecycle(0.0, 300.0, fresh=True)
    assert in_phase(application, Phase.STARTING)
    assert application.trouble == "the application is starting"
    assert application.observe(1.0, CONNECTED) is None  # the first start follows no session
    assert in_phase(application, Phase.READY)
    assert application.trouble is None


def test_after_its_last_session_it_is_restarted_and_the_seconds_until_it_is_ready_are_returned() -> None:
    application = played()
    assert application.observe(10.0, Present(streamers=1, sessions=2, subscribed=True)) is None
    application.observe(20.0, PLAYING)
    assert in_phase(application, Phase.IN_SESSION)
    application.observe(30.0, CONNECTED)
    assert in_phase(application, Phase.RESTARTING)
    assert not application.accepts_streamers
    assert application.observe(31.0, CONNECTED) is None  # the old streamer is not taken for the new one
    assert in_phase(application, Phase.RESTARTING)
    application.ended(32.0)
    assert in_phase(application, Phase.STARTING)
    assert application.observe(33.0, NOTHING) is None
    assert application.observe(36.5, CONNECTED) == 6.5
    assert in_phase(application, Phase.READY)
    assert +application.restarts == {"session": 1}


def test_without_fresh_it_serves_the_next_session() -> None:
    application = played(fresh=False)
    application.observe(6.0, CONNECTED)
    assert in_phase(application, Phase.READY)


def test_a_session_that_never_subscribed_leaves_the_application_fresh() -> None:
    application = Lifecycle(0.0, 300.0, fresh=True)
    application.observe(1.0, ADMITTED)
    assert in_phase(application, Phase.IN_SESSION)
    application.observe(2.0, CONNECTED)
    assert in_phase(application, Phase.READY)


def test_a_streamer_that_leaves_in_a_session_takes_the_session_with_it_and_counts_as_a_crash() -> None:
    application = played()
    application.observe(6.0, NOTHING)
    assert in_phase(application, Phase.RESTARTING)
    application.ended(7.0)
    assert in_phase(application, Phase.BACKING_OFF)
    assert +application.restarts == {"crash": 1}


def test_crashes_are_followed_by_growing_delays_and_then_by_failure_which_is_retried() -> None:
    application = Lifecycle(0.0, 300.0, fresh=True)
    now, delays = 0.0, []
    for _ in range(CRASH_LOOP):
        application.ended(now)
        delays.append(application.retry_at - now)
        application.tick(application.retry_at - 0.1)
        assert not application.accepts_streamers
        now = application.retry_at
        phase = application.phase
        application.tick(now)
        assert in_phase(application, Phase.STARTING)
    assert delays == [1.0, 2.0, 4.0, 8.0, BACKOFF.longest]
    assert phase is Phase.FAILED
    assert application.restarts["crash"] == CRASH_LOOP


def test_a_crash_after_a_long_time_or_after_a_session_is_the_first_in_a_row() -> None:
    application = Lifecycle(0.0, 300.0, fresh=True)
    application.ended(1.0)
    application.tick(2.0)
    application.ended(3.0)
    assert application.crashes == 2
    application.tick(5.0)
    application.ended(65.0)
    assert application.crashes == 1
    application.tick(66.0)
    application.observe(67.0, PLAYING)
    application.observe(68.0, CONNECTED)
    application.ended(69.0)
    assert application.crashes == 0


def test_an_application_that_does_not_connect_in_time_is_ended_and_started_after_a_delay() -> None:
    application = Lifecycle(0.0, 300.0, fresh=False)
    application.tick(299.0)
    assert in_phase(application, Phase.STARTING)
    application.tick(300.0)
    assert in_phase(application, Phase.RESTARTING)
    application.ended(301.0)
    assert in_phase(application, Phase.BACKING_OFF)
    assert +application.restarts == {"stuck": 1}


def test_a_streamer_that_leaves_without_a_session_has_the_whole_time_to_return() -> None:
    application = Lifecycle(0.0, 300.0, fresh=True)
    application.observe(1.0, CONNECTED)
    application.observe(1000.0, NOTHING)
    assert in_phase(application, Phase.STARTING)
    application.tick(1299.0)
    assert in_phase(application, Phase.STARTING)
    application.tick(1300.0)
    assert in_phase(application, Phase.RESTARTING)


def test_an_idle_application_is_restarted_for_launch_parameters_and_one_in_use_is_not() -> None:
    application = Lifecycle(0.0, 300.0, fresh=True)
    application.observe(1.0, CONNECTED)
    assert application.launch()
    assert application.prepares
    assert not application.launch()
    application.ended(3.0)
    assert in_phase(application, Phase.STARTING)
    assert application.observe(4.0, CONNECTED) is None
    application.observe(5.0, ADMITTED)
    assert not application.launch()
    assert +application.restarts == {"launch": 1}


def test_every_cause_has_a_series() -> None:
    assert set(Lifecycle(0.0, 300.0, fresh=True).restarts) == set(RESTART_CAUSES)


class AnyEvents(RuleBasedStateMachine):
    """A model of the process: which one runs, and which one had a player."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.application = Lifecycle(0.0, 300.0, fresh=True)
        self.used = False
        self.waits_for_start = False

    def _look(self, present: Present) -> None:
        accepted = self.application.accepts_streamers
        self.used = self.used or (present.subscribed and accepted)
        self.application.observe(self.now, present)

    @precondition(lambda self: self.application.accepts_streamers)
    @rule(streamers=st.integers(0, 2), sessions=st.integers(0, 2))
    def changes(self, streamers: int, sessions: int) -> None:
        self._look(Present(streamers, sessions, subscribed=bool(streamers and sessions)))

    @precondition(lambda self: not self.application.accepts_streamers)
    @rule()
    def is_looked_at_while_it_ends(self) -> None:
        phase = self.application.phase
        self._look(CONNECTED)
        assert self.application.phase is phase

    @precondition(lambda self: self.application.phase not in (Phase.BACKING_OFF, Phase.FAILED))
    @rule(chance=st.floats(0, 1))
    def ends(self, chance: float) -> None:
        self.application.ended(self.now, chance)
        self.used = False
        assert self.application.phase in (Phase.STARTING, Phase.BACKING_OFF, Phase.FAILED)

    @rule()
    def is_launched_for_a_session(self) -> None:
        possible = self.application.phase in (Phase.STARTING, Phase.READY)
        assert self.application.launch() is possible

    @rule(seconds=st.sampled_from([0.1, 1.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.application.tick(self.now)

    @invariant()
    def no_used_process_waits_for_a_session(self) -> None:
        assert not (self.used and self.application.phase is Phase.READY)

    @invariant()
    def exactly_the_phases_with_a_streamer_are_ready(self) -> None:
        assert (self.application.trouble is None) is (self.application.phase in (Phase.READY, Phase.IN_SESSION))

    @invariant()
    def a_delay_is_bounded(self) -> None:
        if self.application.phase in (Phase.BACKING_OFF, Phase.FAILED):
            assert self.application.retry_at <= self.now + BACKOFF.longest


TestAnyEvents = AnyEvents.TestCase
