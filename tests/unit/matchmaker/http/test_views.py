"""REST objects of the fleet, and pages of long lists."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchmaker.http import views
from pixelfleet.fleet.model import (
    AppTotals,
    Lease,
    LeaseState,
    StreamerReport,
    StreamerView,
    Ticket,
    Totals,
    Waiting,
)
from pixelfleet.fleet.records import Origin, SessionFacts

NOW = 1_800_000_000.0


def view(**fields: Any) -> StreamerView:
    of_the_view = ("leased", "operator_drained", "quarantined_until", "used")
    own = {name: fields.pop(name) for name in of_the_view if name in fields}
    report = {"server_id": "s", "endpoint_id": "cam", "app": "a", "url": "ws://10.0.0.1:4000", **fields}
    return StreamerView(report=StreamerReport(**report), seen=NOW, **{"used": 0.0, "leased": 0, **own})


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "free"),
        ({"leased": 1}, "busy"),
        ({"sessions": ("x",)}, "busy"),
        ({"sessions": ("x",), "capacity": 2}, "free"),
        ({"sessions": ("x",), "leased": 1, "capacity": 2}, "busy"),
        ({"sessions": ("x",) * 9, "capacity": 0}, "free"),
        ({"legacy": True, "players": 1, "leased": 1, "capacity": 2}, "free"),
        ({"legacy": True, "players": 1}, "busy"),
        ({"ready": False}, "not ready"),
        ({"quarantined_until": NOW + 1}, "aside"),
        ({"quarantined_until": NOW - 1}, "free"),
        ({"operator_drained": True, "ready": False}, "draining"),
        ({"draining": True}, "draining"),
    ],
)
def test_the_state_of_a_streamer_gives_the_reason_why_it_is_not_free(fields: dict[str, Any], state: str) -> None:
    assert views.streamer_view(view(**fields), NOW).state == state


def test_a_streamer_has_no_credentials_and_a_bounded_list_of_sessions() -> None:
    shown = views.streamer_view(
        view(rest_url="http://user:hush@10.0.0.1:30010/base", sessions=tuple(map(str, range(500))), capacity=0), NOW
    )
    assert shown.rest_url == "http://10.0.0.1:30010/base"
    assert (shown.players, len(shown.sessions)) == (500, views.MAX_SESSION_IDS)
    assert (shown.capacity, shown.matched_at) == (None, None)


def test_the_reference_list_has_the_reference_fields() -> None:
    shown = views.list_view(view(rest_url="http://10.0.0.1:30010", sessions=("x",)), NOW)
    assert msgspec.to_builtins(shown) == {
        "id": "s/cam",
        "address": "10.0.0.1",
        "port": 4000,
        "restPort": 30010,
        "ready": True,
        "numConnectedClients": 1,
        "lastPingReceived": 1_800_000_000_000,
    }
    assert views.list_view(view(url="wss://[2001:db8::1]"), NOW).port == 443
    assert not views.list_view(view(operator_drained=True), NOW).ready


@pytest.mark.parametrize(("away", "shown"), [((), False), (("a", "x"), True), (("y",), False)])
def test_a_session_is_away_if_its_server_reports_that(away: tuple[str, ...], shown: bool) -> None:
    report = view(sessions=("x",), away=away).report
    lease = Lease(session_id="x", replica_id="r", streamer=report, state=LeaseState.HELD)
    assert views.session_view(lease, named=False).away is shown


def test_positions_are_counted_per_lane() -> None:
    tickets = [
        Ticket(session_id=f"{number}", replica_id="r", app=app, labels=labels)
        for number, (app, labels) in enumerate([("a", {}), ("b", {}), ("a", {}), ("a", {"region": "eu"}), ("b", {})])
    ]
    queue = [Waiting(ticket=each, arrived=NOW + at) for at, each in enumerate(tickets)]
    shown = views.queue_views(queue, NOW + 10)
    assert [each.position for each in shown] == [1, 1, 2, 1, 2]
    assert [each.waited_seconds for each in shown] == [10, 9, 8, 7, 6]


def test_a_session_has_its_role_and_null_for_missing_values() -> None:
    lease = Lease(
        session_id="x", replica_id="", streamer=view().report, state=LeaseState.HELD, spectator=True, since=NOW
    )
    shown = views.session_view(lease, named=True)
    assert (shown.state, shown.role, shown.streamer) == (LeaseState.HELD, "spectator", "s/cam")
    assert (shown.deadline, shown.replica, shown.arrived_at) == (None, None, None)
    assert (shown.who, shown.address, shown.waited_seconds, shown.path) == (None, None, None, None)


@pytest.mark.parametrize("named", [True, False])
def test_a_session_shows_its_player_only_to_those_who_may_know_it(*, named: bool) -> None:
    lease = Lease(
        session_id="x",
        replica_id="r",
        streamer=view(node="gpu-1").report,
        state=LeaseState.HELD,
        since=NOW,
        arrived=NOW - 5,
        origin=Origin(who="ada", address="1f2e"),
        facts=SessionFacts(path="relayed", resumed=2, ends_at=NOW + 60),
    )
    shown = views.session_view(lease, named=named)
    assert (shown.who, shown.address) == (("ada", "1f2e") if named else (None, None))
    assert (shown.node, shown.waited_seconds, shown.path, shown.resumed) == ("gpu-1", 5.0, "relayed", 2)
    assert shown.ends_at == NOW + 60


def test_slots_without_a_limit_are_null_in_json() -> None:
    totals = Totals(now=NOW, warming_up=False, apps={"b": AppTotals(), "a": AppTotals(slots=float("inf"), used=3)})
    apps = msgspec.json.decode(msgspec.json.encode(views.totals_view(totals)))["apps"]
    assert [(app["app"], app["slots"], app["used"]) for app in apps] == [("a", None, 3), ("b", 0, 0)]


@given(st.sets(st.text(min_size=1, max_size=4), max_size=30), st.integers(1, 10))
def test_all_pages_together_are_the_list_in_order(names: set[str], limit: int) -> None:
    items, after, seen = sorted(names), "", []
    while True:
        found, following = views.page(items, str, after=after, limit=limit)
        assert len(found) <= limit
        seen += found
        if following is None:
            break
        after = following
    assert seen == items


@given(st.lists(st.tuples(st.integers(0, 7), st.floats(1.7e9, 2.5e9)), max_size=20))
def test_names_of_queue_pages_sort_like_the_queue(waiting: list[tuple[int, float]]) -> None:
    queue = [
        Waiting(ticket=Ticket(session_id=f"{at:032x}", replica_id="r", app="a", priority=priority), arrived=arrived)
        for at, (priority, arrived) in enumerate(waiting)
    ]
    in_order = sorted(queue, key=lambda each: (each.rank, each.ticket.session_id))
    assert sorted(queue, key=views.queue_page_name) == in_order
