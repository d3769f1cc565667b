import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.fleet.bounds import ARRIVAL_SECONDS, CLAIM_SECONDS, EXPIRY_SECONDS, HEARTBEAT_SECONDS
from pixelfleet.fleet.model import Lease, LeaseState, StreamerReport, Ticket, key_of
from tests.unit.pixelfleet.fleet.stores import streamer, ticket


def test_streamers_of_equally_configured_pods_do_not_collide() -> None:
    assert streamer("pod-1", "cam").key != streamer("pod-2", "cam").key


@given(ids=st.lists(st.tuples(st.text("a/%2F", max_size=4), st.text("a/%2F", max_size=4)), min_size=2, unique=True))
def test_keys_of_streamers_are_unique_for_any_ids(ids: list[tuple[str, str]]) -> None:
    assert len({key_of(server, endpoint) for server, endpoint in ids}) == len(ids)


def test_a_missed_heartbeat_does_not_expire_a_report() -> None:
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
def test_a_fact_survives_encoding_as_json(fact: StreamerReport | Ticket | Lease) -> None:
    assert msgspec.json.decode(msgspec.json.encode(fact), type=type(fact)) == fact


def test_stored_json_keeps_the_field_names_of_earlier_releases() -> None:
    report = StreamerReport(
        server_id="s1",
        endpoint_id="cam",
        app="app",
        url="ws://s1:4000",
        rest_url="http://s1:80",
        dialect="legacy",
        capacity=2,
        labels={"region": "eu"},
        node="n1",
        ready=False,
        draining=True,
        sessions=("a",),
        spectators=("b",),
        legacy=True,
        players=1,
    )
    assert msgspec.json.decode(msgspec.json.encode(report)) == {
        "server_id": "s1",
        "endpoint_id": "cam",
        "app": "app",
        "url": "ws://s1:4000",
        "rest_url": "http://s1:80",
        "dialect": "legacy",
        "capacity": 2,
        "labels": {"region": "eu"},
        "node": "n1",
        "ready": False,
        "draining": True,
        "sessions": ["a"],
        "onlookers": ["b"],
        "stock": True,
        "players": 1,
    }
    waiting = ticket("p", wants="cam", may_share=True, spectator=True, labels={"region": "eu"}, priority=3)
    assert msgspec.json.decode(msgspec.json.encode(waiting)) == {
        "session_id": "p",
        "replica_id": "r1",
        "app": "app",
        "wants": "cam",
        "may_share": True,
        "looks_on": True,
        "labels": {"region": "eu"},
        "priority": 3,
    }
