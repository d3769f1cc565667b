import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.fleet.bounds import ARRIVAL_SECONDS, CLAIM_SECONDS, EXPIRY_SECONDS, HEARTBEAT_SECONDS
from pixelfleet.fleet.model import Lease, LeaseState, StreamerReport, Ticket, key_of
from tests.unit.pixelfleet.fleet.stores import streamer, ticket


def test_streamers_of_pods_that_are_configured_alike_do_not_collide() -> None:
    assert streamer("pod-1", "cam").key != streamer("pod-2", "cam").key


@given(ids=st.lists(st.tuples(st.text("a/%2F", max_size=4), st.text("a/%2F", max_size=4)), min_size=2, unique=True))
def test_no_two_streamers_have_one_key_whatever_their_ids_hold(ids: list[tuple[str, str]]) -> None:
    assert len({key_of(server, endpoint) for server, endpoint in ids}) == len(ids)


def test_a_missed_heartbeat_is_no_expiry() -> None:
    assert EXPIRY_SECONDS >= 2 * HEARTBEAT_SECONDS
    assert CLAIM_SECONDS < ARRIVAL_SECONDS


def test_defaults_are_not_shared() -> None:
    one, other = ticket("a"), ticket("b")
    one.labels["region"] = "eu"
    assert other.labels == {}


@pytest.mark.parametrize(
    "fact",
    [
        streamer(labels={"region": "eu"}, sessions=("a", "b")),
        ticket("p", wants="cam", labels={"gpu": "a10"}),
        Lease(session_id="p", replica_id="r", streamer=streamer(), state=LeaseState.CLAIMED, deadline=1.5),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_a_fact_survives_the_way_through_json(fact: StreamerReport | Ticket | Lease) -> None:
    assert msgspec.json.decode(msgspec.json.encode(fact), type=type(fact)) == fact
