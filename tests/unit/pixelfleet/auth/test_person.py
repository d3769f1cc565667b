"""The person behind a player."""

import pytest
from multidict import CIMultiDict

from pixelfleet.auth.identity import ANONYMOUS, Identity
from pixelfleet.auth.person import PLAYER_COOKIE, PLAYER_HEADER, cookie_player_id, new_player_id, person_of, player_id

NONE: CIMultiDict[str] = CIMultiDict()


def test_a_person_is_known_by_link_subject_or_cookie_in_this_order() -> None:
    cookie = CIMultiDict({PLAYER_HEADER: new_player_id()})
    link = Identity(subject="ada", method="link", link_id="1")
    persons = [
        person_of(link, cookie),
        person_of(Identity(subject="ada", method="link", link_id="2"), cookie),
        person_of(Identity(subject="ada", method="basic"), cookie),
        person_of(Identity(subject="ada", method="jwt"), cookie),
        person_of(ANONYMOUS, cookie),
        person_of(ANONYMOUS, CIMultiDict({PLAYER_HEADER: new_player_id()})),
    ]
    assert len(set(persons)) == len(persons)
    assert persons[0] == person_of(link, NONE)
    assert persons[4] == person_of(ANONYMOUS, cookie)


def test_a_person_without_any_of_these_is_unknown() -> None:
    assert person_of(ANONYMOUS, NONE) == ""


def test_the_store_gets_no_name_of_a_person() -> None:
    assert "ada" not in person_of(Identity(subject="ada", method="basic"), NONE)


@pytest.mark.parametrize("value", [None, "", "short", "x" * 23, "a b" * 8, "\r\n" * 11, "é" * 22])
def test_other_values_of_the_cookie_are_ignored(value: str | None) -> None:
    assert player_id(value) == ""


def test_the_cookie_is_read_from_a_request() -> None:
    value = new_player_id()
    assert cookie_player_id(CIMultiDict({"Cookie": f"{PLAYER_COOKIE}={value}"}), {PLAYER_COOKIE: value}) == value
    assert cookie_player_id(NONE, {}) == ""
