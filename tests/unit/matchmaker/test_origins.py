"""What the record of a session has from the request of its player."""

from typing import Any

import pytest
from multidict import CIMultiDict

from matchmaker.join_request import JoinRequest
from matchmaker.origins import MAX_WHO_LENGTH, Origins
from matchmaker.settings import Settings
from pixelfleet.auth.identity import Identity
from pixelfleet.fleet.records import Origin

KEY = "k" * 32


def origin(address: str = "203.0.113.7", who: str = "ada", **settings: Any) -> Origin | None:
    made = Origins(Settings(**{"session_key": KEY, **settings}))
    return made.of(Identity(subject=who), JoinRequest("city", labels={"region": "eu"}), address, CIMultiDict())


def test_a_hash_of_an_address_needs_the_key_and_is_the_same_for_all_replicas() -> None:
    one, again, other = origin(), origin(), origin(session_key="x" * 32)
    assert one is not None
    assert one == again
    assert (one.who, one.labels, len(one.address)) == ("ada", {"region": "eu"}, 16)
    assert other is not None
    assert other.address != one.address
    assert "203" not in one.address


@pytest.mark.parametrize(("mode", "shown"), [("full", "203.0.113.7"), ("off", "")])
def test_an_address_is_recorded_whole_or_not_at_all(mode: str, shown: str) -> None:
    made = origin(record_addresses=mode)
    assert made is not None
    assert made.address == shown


def test_without_records_a_session_has_no_origin() -> None:
    assert origin(history_sessions=0) is None


def test_a_long_subject_is_cut() -> None:
    made = origin(who="a" * 1000)
    assert made is not None
    assert len(made.who) == MAX_WHO_LENGTH
