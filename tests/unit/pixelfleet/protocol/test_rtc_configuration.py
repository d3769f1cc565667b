"""What browsers refuse, as `ice_configurations.py` has it, and how it is mended."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.protocol.rtc_configuration import MAX_USERNAME_BYTES, mended
from tests.unit.pixelfleet.protocol.ice_configurations import (
    ACCEPTED,
    CONVERTED,
    REFUSED,
    REFUSED_BY_CHROMIUM,
    REFUSED_BY_FIREFOX,
    turn,
)

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=6,
)
SERVER = st.fixed_dictionaries(
    {},
    optional={
        "urls": st.sampled_from(["stun:a", "turn:a", "turn:a:0", ["stun:a", "turn:b", "x"]]) | JSON,
        "username": st.just("u") | JSON,
        "credential": st.just("c") | JSON,
        "credentialType": st.just("password") | JSON,
    },
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "iceServers": st.lists(SERVER | JSON, max_size=3) | JSON,
        "iceTransportPolicy": st.just("relay") | JSON,
        "bundlePolicy": JSON,
        "rtcpMuxPolicy": JSON,
        "iceCandidatePoolSize": JSON,
        "certificates": JSON,
        "other": JSON,
    },
)


@pytest.mark.parametrize("options", ACCEPTED, ids=str)
def test_what_browsers_accept_is_unchanged(options: dict[str, Any]) -> None:
    assert mended(options)[:2] == (options, ())


@pytest.mark.parametrize("options", [*REFUSED, *REFUSED_BY_CHROMIUM, *REFUSED_BY_FIREFOX, *CONVERTED], ids=str)
def test_what_a_browser_refuses_is_left_out(options: dict[str, Any]) -> None:
    usable, faults, _ = mended(options)
    assert faults
    assert all(len(fault) < 200 for fault in faults)
    assert mended(usable)[:2] == (usable, ())


def test_only_the_bad_part_is_left_out() -> None:
    options = {
        "bundlePolicy": "foo",
        "iceTransportPolicy": "relay",
        "vendor": {"x": 1},
        "iceServers": [
            {"urls": "stun:a:0"},
            {"urls": ["stun:a", "stuns:a", "turn:a:99999"], "username": "u", "credential": "c", "vendor": 1},
            {"urls": ["stun:b", "turn:b"]},
            {**turn("turn:c"), "credentialType": "oauth"},
            {**turn("turn:d"), "username": 7, "credential": 8},
            1,
        ],
    }
    usable, faults, relays = mended(options)
    assert usable == {
        "iceTransportPolicy": "relay",
        "vendor": {"x": 1},
        "iceServers": [
            {"urls": ["stun:a"], "username": "u", "credential": "c", "vendor": 1},
            {"urls": ["stun:b"]},
            turn("turn:c"),
            {"urls": "turn:d", "username": "7", "credential": "8"},
        ],
    }
    assert relays
    assert [fault.partition(": ")[0] for fault in faults] == [
        "bundlePolicy",
        "iceServers[0].urls[0]",
        "iceServers[1].urls[1]",
        "iceServers[1].urls[2]",
        "iceServers[2]",
        "iceServers[3].credentialType",
        "iceServers[4].username",
        "iceServers[4].credential",
        "iceServers[5]",
    ]
    assert options["iceServers"][0] == {"urls": "stun:a:0"}  # type: ignore[index]  # the argument is not changed


@pytest.mark.parametrize("name", ["u" * MAX_USERNAME_BYTES, "ü" * (MAX_USERNAME_BYTES // 2)])
def test_the_longest_user_name(name: str) -> None:
    assert mended({"iceServers": [{**turn("turn:a"), "username": name}]}).relays
    assert not mended({"iceServers": [{**turn("turn:a"), "username": f"{name}üx"}]}).relays


@given(OPTIONS | st.dictionaries(st.text(max_size=8), JSON, max_size=3))
def test_any_object_is_mended_once(options: dict[str, Any]) -> None:
    usable, faults, relays = mended(options)
    assert mended(usable) == (usable, (), relays)
    assert (usable == options) is not bool(faults)
