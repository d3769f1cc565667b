"""The join request of a query, and its limits."""

import pytest

from matchmaker.join_request import JoinRequestError, JoinRule, NotAllowedError, join_request_of
from pixelfleet.auth.identity import ANONYMOUS, Identity
from pixelfleet.protocol.people import Invite

SESSION = "0123456789abcdef0123456789abcdef"


def join_request(query: dict[str, str], join: JoinRule = "any", identity: Identity = ANONYMOUS) -> object:
    request = join_request_of(query, identity, app="default", labels=["region", "version"], join=join)
    assert request.spectator is (identity.roles == {"spectator"})
    return request.app, request.wants, request.may_share, request.labels


def test_an_empty_query_requests_any_streamer_of_the_default_application() -> None:
    assert join_request({}) == ("default", "", False, {})


def test_the_application_and_configured_labels_are_read() -> None:
    query = {"app": "game", "region": "eu", "version": "1.2", "gpu": "a10", "hovering": "true"}
    assert join_request(query) == ("game", "", False, {"region": "eu", "version": "1.2"})


def test_an_empty_label_is_ignored() -> None:
    assert join_request({"region": ""}) == ("default", "", False, {})


def test_a_wanted_streamer_takes_precedence_over_labels() -> None:
    assert join_request({"id": "pod/cam", "region": "eu"}) == ("default", "pod/cam", True, {})


@pytest.mark.parametrize(
    ("address", "wants"), [("10.0.0.7", "10.0.0.7:80/stock"), ("10.0.0.7:81", "10.0.0.7:81/stock")]
)
def test_a_legacy_server_is_identified_by_its_address(address: str, wants: str) -> None:
    assert join_request({"address": address}) == ("default", wants, True, {})


@pytest.mark.parametrize(
    ("join", "wants", "may_share"),
    [
        ("any", "cam", True),
        ("any", "*", True),
        ("session", "cam", False),
        ("session", SESSION, True),
        ("never", "cam", False),
        ("never", SESSION, False),
    ],
)
def test_spectators_depend_on_the_join_rule(join: JoinRule, wants: str, may_share: bool) -> None:
    assert join_request({"id": wants}, join) == ("default", wants, may_share, {})


@pytest.mark.parametrize("join", ["session", "never"])
def test_any_streamer_is_a_free_one_without_spectators(join: JoinRule) -> None:
    assert join_request({"id": "*"}, join) == ("default", "", False, {})


def test_an_identity_may_request_only_its_applications() -> None:
    apps = Identity(apps=("game", "tour"))
    assert join_request({}, identity=apps) == ("game", "", False, {})
    assert join_request({"app": "tour"}, identity=apps) == ("tour", "", False, {})
    with pytest.raises(NotAllowedError):
        join_request({"app": "default"}, identity=apps)
    assert join_request({"id": "another"}, identity=Identity(wants="pod/cam")) == ("default", "pod/cam", True, {})


@pytest.mark.parametrize(
    ("join", "wants", "found"),
    [
        ("any", "cam", "cam"),
        ("any", "", "*"),
        ("session", SESSION, SESSION),
        ("session", "cam", None),
        ("session", "", None),
        ("never", SESSION, None),
    ],
)
def test_a_spectator_may_only_watch_as_the_join_rule_allows(join: JoinRule, wants: str, found: str | None) -> None:
    spectator = Identity(roles=frozenset({"spectator"}))
    if found is None:
        with pytest.raises(NotAllowedError):
            join_request({"id": wants}, join, spectator)
    else:
        assert join_request({"id": wants, "region": "eu"}, join, spectator) == ("default", found, True, {})


def test_an_identity_with_both_roles_is_a_player() -> None:
    both = Identity(roles=frozenset({"spectator", "player"}))
    assert join_request({}, identity=both) == ("default", "", False, {})


@pytest.mark.parametrize(
    "query",
    [
        {"app": "a b"},
        {"app": "x" * 64},
        {"app": "-x"},
        {"region": "eu\x1e"},
        {"region": "x" * 100},
        {"id": "x" * 257},
        {"id": "a\x1fb"},
    ],
)
def test_an_invalid_name_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(JoinRequestError):
        join_request(query)


@pytest.mark.parametrize(
    ("role", "take_slots", "shares"),
    [("guest", False, True), ("guest", True, False), ("spectator", False, True), ("spectator", True, True)],
)
@pytest.mark.parametrize("join", ["any", "never"])
def test_an_invite_alone_determines_the_session(role: str, take_slots: bool, shares: bool, join: JoinRule) -> None:
    invite = Invite(session=SESSION, role=role, app="game")  # type: ignore[arg-type]  # one of the two
    identity = Identity(method="invite", roles=frozenset({role}), invite=invite)
    query = {"app": "other", "id": "cam", "region": "eu"}
    request = join_request_of(
        query, identity, app="default", labels=["region"], join=join, guests_take_slots=take_slots
    )
    assert (request.app, request.wants, request.labels, request.invite) == ("game", SESSION, {}, invite)
    assert (request.spectator, request.may_share) == (shares, shares)
