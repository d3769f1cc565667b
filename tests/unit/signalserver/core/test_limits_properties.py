"""Properties of limits, for any order of events: a session ends at its limit, is warned before, and not earlier."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.protocol import close_codes
from signalserver.core.roster import Admission
from signalserver.core.session_time import SessionRules
from signalserver.core.state import Rules
from tests.unit.signalserver.core.conversation import Conversation

TICK = 1.0
LATE = 1e-6
"""What sums of floats may differ by."""

rules = st.builds(
    SessionRules,
    session_seconds=st.sampled_from([0.0, 40.0, 90.0]),
    idle_seconds=st.sampled_from([0.0, 20.0, 45.0]),
    warn_seconds=st.sampled_from([5.0, 15.0, 30.0]),
    hidden_seconds=st.sampled_from([0.0, 10.0, 25.0]),
)
event = st.one_of(
    st.tuples(st.just("wait"), st.integers(1, 20)),
    st.tuples(st.just("input"), st.integers(0, 30)),
    st.tuples(st.just("hide"), st.just(0)),
    st.tuples(st.just("extend"), st.integers(1, 30)),
    st.tuples(st.just("drop"), st.just(0)),
)


@dataclass
class Model:
    """What the limits are meant to be, counted second by second."""

    rules: SessionRules
    lasted: float = 0.0
    idle: float = 0.0
    allowed: float = 0.0
    budget: float = 0.0
    hidden: bool = False
    warned: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.allowed, self.budget = self.rules.session_seconds, self.rules.hidden_seconds

    def second(self) -> None:
        if self.hidden and self.budget > 0:
            self.budget -= TICK
        else:
            self.lasted += TICK
            self.idle += TICK

    @property
    def left(self) -> float:
        """The seconds until the first limit."""
        time = self.allowed - self.lasted if self.rules.session_seconds else float("inf")
        idle = self.rules.idle_seconds - self.idle if self.rules.idle_seconds else float("inf")
        return min(time, idle)


@given(rules, st.lists(event, max_size=40))
def test_a_session_ends_at_its_limit_and_is_warned_before(chosen: SessionRules, events: list[tuple[str, int]]) -> None:
    talk, model = Conversation(Rules(session=chosen)), Model(chosen)
    talk.streamer("cam", "cam")
    talk.page("page", Admission("session-1", "cam", "game"))
    warned = False

    def read() -> None:
        nonlocal warned
        for message in talk.receive("page"):
            if message["type"] == "sessionLimit" and "reportSeconds" not in message:
                warned = "limit" in message

    for kind, amount in [*events, ("wait", 400)]:
        for _ in range(amount if kind == "wait" else 0):
            talk.pass_time(TICK)
            model.second()
            if model.left <= LATE:
                assert warned
                assert talk.closed["page"][0] in (close_codes.TIME_OVER, close_codes.IDLE)
                return
            read()
            assert talk.closed == {}
            assert warned == (model.left <= chosen.warn_seconds + LATE)
        if kind == "input":
            talk.send("page", "activity", idle=amount, hidden=False)
            model.idle, model.hidden = min(model.idle, amount), False
        elif kind == "hide":
            talk.send("page", "activity", idle=1e9, hidden=True)
            model.hidden = True
        elif kind == "extend":
            talk.extend("page", amount)
            model.allowed, model.idle = model.allowed + amount, 0.0
        elif kind == "drop":
            talk.away("page", 1e9)
            talk.resumed("page")
        read()
    assert not chosen.any
