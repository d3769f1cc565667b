"""Claims of a token, mapped to an identity."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.auth.claims import ClaimRules, claim, identity_of, names_of
from pixelfleet.auth.identity import InvalidCredentialsError

SCALAR = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
JSON = SCALAR | st.lists(SCALAR, max_size=4) | st.dictionaries(st.text(max_size=4), SCALAR, max_size=2)


def test_a_claim_is_found_by_its_whole_name_or_by_a_path() -> None:
    claims = {"https://x.test/app": "a", "realm_access": {"roles": ["admin"]}}
    assert claim(claims, "https://x.test/app") == "a"
    assert claim(claims, "realm_access.roles") == ["admin"]
    assert claim(claims, "realm_access.none.deeper") is None


def test_claims_give_applications_priority_and_roles() -> None:
    claims = {"sub": "ada", "app": ["one", "two"], "priority": 3, "roles": "admin host"}
    found = identity_of(claims, ClaimRules(), "jwt")
    assert (found.subject, found.apps, found.priority) == ("ada", ("one", "two"), 3)
    assert found.roles == {"admin", "host"}


@pytest.mark.parametrize(
    ("value", "priority"), [(-5, 0), (99, 7), (True, None), ("3", None), (2.5, None), (None, None)]
)
def test_a_priority_is_a_whole_number_within_bounds(value: Any, priority: int | None) -> None:
    assert identity_of({"priority": value}, ClaimRules(), "jwt").priority == priority


@pytest.mark.parametrize(
    ("required", "value", "accepted"),
    [
        (True, True, True),
        (True, 1, False),
        ("players", ["a", "players"], True),
        ("players", "players", True),
        ("players", "all players", False),
        (None, "anything", True),
        (None, None, False),
    ],
)
def test_a_required_claim_has_the_value_or_a_list_with_it(required: Any, value: Any, accepted: bool) -> None:
    rules = ClaimRules(required={"c": required})
    if accepted:
        identity_of({"c": value}, rules, "jwt")
    else:
        with pytest.raises(InvalidCredentialsError):
            identity_of({"c": value}, rules, "jwt")


@given(st.dictionaries(st.sampled_from(["sub", "app", "priority", "roles", "x"]), JSON))
def test_any_claims_give_a_bounded_identity(claims: dict[str, Any]) -> None:
    found = identity_of(claims, ClaimRules(), "jwt")
    assert found.priority is None or 0 <= found.priority <= 7
    assert len(found.apps) <= 64
    assert all(found.apps)
    assert len(found.subject) <= 255


def test_people_whose_subjects_differ_at_their_end_are_different() -> None:
    one, other = (identity_of({"sub": "x" * 254 + end}, ClaimRules(), "jwt") for end in "ab")
    assert one.subject != other.subject


def test_names_are_bounded() -> None:
    assert names_of(["a", 1, "", "x" * 200, "b"]) == ("a", "b")
    assert len(names_of(["n"] * 1000)) == 64
