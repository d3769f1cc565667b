"""What a query may ask for."""

import pytest

from matchmaker.join_request import JoinRequestError, JoinRule, NotAllowedError, join_request_of
from pixelfleet.auth.identity import ANONYMOUS, Identity

SESSION = "0123456789abcdef0123456789abcdef"


def join_request(query: dict[str, str], join: JoinRule = "any", who: Identity = ANONYMOUS) -> object:
    made = join_request_of(query, who, app="default", labels=["region", "version"], join=join)
    assert made.spectator is (who.roles == {"spectator"})
    return made.app, made.wants, made.may_share, made.labels


def test_nothing_asks_for_any_free_streamer_of_the_usual_app() -> None:
    assert join_request({}) == ("default", "", False, {})


def test_app_and_known_labels_are_taken_and_others_are_not() -> None:
    query = {"app": "game", "region": "eu", "version": "1.2", "gpu": "a10", "hovering": "true"}
    assert join_request(query) == ("game", "", False, {"region": "eu", "version": "1.2"})


def test_an_empty_label_is_no_choice() -> None:
    assert join_request({"region": ""}) == ("default", "", False, {})


def test_a_streamer_that_is_named_is_wanted_whatever_its_labels() -> None:
    assert join_request({"id": "pod/cam", "region": "eu"}) == ("default", "pod/cam", True, {})


@pytest.mark.parametrize(
    ("address", "wants"), [("10.0.0.7", "10.0.0.7:80/stock"), ("10.0.0.7:81", "10.0.0.7:81/stock")]
)
def test_a_stock_server_is_named_by_its_address(address: str, wants: str) -> None:
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
def test_who_may_look_on_is_a_setting(join: JoinRule, wants: str, may_share: bool) -> None:
    assert join_request({"id": wants}, join) == ("default", wants, may_share, {})


@pytest.mark.parametrize("join", ["session", "never"])
def test_any_streamer_means_a_free_one_where_nobody_may_look_on(join: JoinRule) -> None:
    assert join_request({"id": "*"}, join) == ("default", "", False, {})


def test_who_is_known_may_choose_among_their_own() -> None:
    apps = Identity(apps=("game", "tour"))
    assert join_request({}, who=apps) == ("game", "", False, {})
    assert join_request({"app": "tour"}, who=apps) == ("tour", "", False, {})
    with pytest.raises(NotAllowedError):
        join_request({"app": "default"}, who=apps)
    assert join_request({"id": "another"}, who=Identity(wants="pod/cam")) == ("default", "pod/cam", True, {})


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
def test_a_spectator_only_looks_on_where_anybody_may(join: JoinRule, wants: str, found: str | None) -> None:
    spectator = Identity(roles=frozenset({"spectator"}))
    if found is None:
        with pytest.raises(NotAllowedError):
            join_request({"id": wants}, join, spectator)
    else:
        assert join_request({"id": wants, "region": "eu"}, join, spectator) == ("default", found, True, {})


def test_a_spectator_who_is_a_player_too_plays() -> None:
    both = Identity(roles=frozenset({"spectator", "player"}))
    assert join_request({}, who=both) == ("default", "", False, {})


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
def test_what_cannot_be_a_name_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(JoinRequestError):
        join_request(query)
