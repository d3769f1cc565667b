from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnapi.check.plan import ConfigurationError, Probe, Result, probes_of, works


def test_each_transport_of_a_server_is_probed_once() -> None:
    body = b"""{"iceServers": [
        {"urls": "stun:a"},
        {"urls": ["stun:a:3478", "turn:a", "turn:a?transport=udp", "turn:[::1]:90?transport=tcp", "turns:b"],
         "username": "u", "credential": "c"}]}"""
    assert probes_of(body) == [
        Probe("STUN", "a", 3478),
        Probe("UDP", "a", 3478, "u", "c"),
        Probe("TCP", "::1", 90, "u", "c"),
        Probe("TLS", "b", 5349, "u", "c"),
    ]
    assert Probe("TCP", "::1", 9).server == "[::1]:9"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{}", b'{"iceServers": []}', b'{"iceServers": [{}]}', b'{"iceServers": [{"urls": [7]}]}'),
        *(b'{"iceServers": [{"urls": "stun:a:99999"}]}', b'{"iceServers": [{"urls": "http://a"}]}'),
        *(b'{"iceServers": [{"urls": "stuns:a"}]}', b'{"iceServers": [{"urls": "turn:a:5061"}]}'),
        b'{"other":' * 50_000,
    ],
)
def test_an_invalid_configuration_is_an_error(body: bytes) -> None:
    with pytest.raises(ConfigurationError):
        probes_of(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_probes_or_the_documented_error(body: bytes) -> None:
    with suppress(ConfigurationError):
        assert probes_of(body)


def test_stun_is_sufficient_only_without_turn_servers() -> None:
    stun, udp, tcp = (Probe(transport, "a", 1) for transport in ("STUN", "UDP", "TCP"))
    assert works([Result(stun, 0)])
    assert not works([Result(stun, 0), Result(udp, 0, "no")])
    assert works([Result(stun, 0, "no"), Result(udp, 0, "no"), Result(tcp, 0)])
    assert not works([Result(stun, 0, "no")])
