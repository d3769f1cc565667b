"""The answers of webhooks: to a warning, and to the question about a player."""

import msgspec
import pytest

from matchmaker.join_request import JoinRequest
from matchmaker.webhooks.core.admission import answer_of, changed_parameters, changed_request
from matchmaker.webhooks.core.extension import extension_of
from pixelfleet.fleet.limits import SessionLimits

REQUEST = JoinRequest("app", labels={"region": "eu"})

DEEP = b"[" * 30_000 + b"]" * 30_000
"""Arrays in arrays, in an answer that is within the limit of its size."""


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (b'{"extendSeconds": 600}', 600.0),
        (b' {"extendSeconds": 0.5, "other": 1}', 0.5),
        (b'{"extendSeconds": 0}', None),
        (b"{}", None),
        (b"", None),
        (b"OK", None),
        (b"[1]", None),
        (b"{broken", None),
        (b'{"other": "\xff"}', None),
        (b'{"extendSeconds": 600, "other": %b}' % DEEP, None),
    ],
)
def test_the_answer_to_a_warning(body: bytes, seconds: float | None) -> None:
    assert extension_of(body) == seconds


@pytest.mark.parametrize("body", [b'{"extendSeconds": -1}', b'{"extendSeconds": 1e9}', b'{"extendSeconds": "1"}'])
def test_an_extension_out_of_range_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="extendSeconds"):
        extension_of(body)


def test_an_answer_that_only_allows_changes_nothing() -> None:
    answer = answer_of(b'{"decision": "allow", "unknown": []}')
    assert changed_request(REQUEST, answer, ["region"]) == REQUEST
    assert changed_parameters({"launch.map": "a"}, answer, "launch.") == {"launch.map": "a"}
    assert answer.limits is None


def test_an_answer_changes_what_it_names() -> None:
    body = {
        "decision": "allow",
        "app": "other",
        "labels": {"version": "2"},
        "launch": {"map": "b"},
        "sessionSeconds": 60,
        "priority": 7,
    }
    answer = answer_of(msgspec.json.encode(body))
    assert changed_request(REQUEST, answer, ["region", "version"]) == JoinRequest("other", labels={"version": "2"})
    forwarded = {"launch.map": "a", "launch.more": "c", "resume": "1"}
    assert changed_parameters(forwarded, answer, "launch.") == {"resume": "1", "launch.map": "b"}
    assert (answer.limits, answer.priority) == (SessionLimits(60.0), 7)


def test_a_label_for_a_player_that_wants_one_streamer_has_no_effect() -> None:
    answer = answer_of(b'{"decision": "allow", "labels": {"region": "us"}}')
    assert changed_request(JoinRequest("app", wants="s1/cam"), answer, ["region"]).labels == {}


def test_a_label_that_the_settings_do_not_have_is_an_error() -> None:
    with pytest.raises(ValueError, match="--labels"):
        changed_request(REQUEST, answer_of(b'{"decision": "allow", "labels": {"gpu": "big"}}'), ["region"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b"{}",
        b'{"decision": "maybe"}',
        b'{"decision": "allow", "app": "no name"}',
        b'{"decision": "allow", "app": ""}' * 2,
        b'{"decision": "allow", "labels": {"region": "a b"}}',
        b'{"decision": "allow", "priority": 8}',
        b'{"decision": "allow", "sessionSeconds": -1}',
        b'{"decision": "allow", "launch": {"a": 1}}',
        b'{"decision": "deny", "reason": "a\\nb"}',
        b'{"decision": "allow", "other": %b}' % DEEP,
    ],
)
def test_an_invalid_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="the answer is not valid"):
        answer_of(body)
