"""Configurations that Chromium and Firefox accept or refuse: the table of the unit tests and of those with browsers."""

from typing import Any, Final

Options = dict[str, Any]


def turn(url: object, username: object = "user", credential: object = "pass") -> Options:
    return {"urls": url, "username": username, "credential": credential}


def _with(*urls: str) -> list[Options]:
    return [{"iceServers": [turn(url)]} for url in urls]


def _each(name: str, *values: object) -> list[Options]:
    return [{name: value} for value in values]


def _server(*servers: object) -> list[Options]:
    return [{"iceServers": [server]} for server in servers]


ACCEPTED: Final[list[Options]] = [
    *({}, {"iceServers": []}, {"x": {"y": [1]}}, {"sdpSemantics": "plan-b"}, {"peerIdentity": "x"}),
    *_with("turn:h:65535", "turn:h:03478", "turn:h:443", "turn:h:53", "STUN:h", "turn:h?transport=tcp", "turns:h:443"),
    *_with("turns:h?transport=udp", "turn:[2001:db8::1]:3478", "turn:[::ffff:1.2.3.4]", "turn:a_b.-c", "turn:a.b."),
    *_with("turn:xn--bcher-kva.example", "turn:xn--strae-oqa.example", "turn:192.0.2.1"),
    {"iceServers": [{"urls": ["stun:h", "stun:h:19302"]}]},
    {"iceServers": [{"urls": "stun:h", "username": "u" * 600, "credential": None}]},
    {"iceServers": [turn("turn:h", "u" * 509)]},
    {"iceServers": [turn("turn:h", "\u00fc" * 254, "p" * 10_000)]},
    {"iceServers": [{**turn("turn:h"), "credentialType": "password"}]},
    *_each("iceTransportPolicy", "all", "relay"),
    *_each("bundlePolicy", "balanced", "max-compat", "max-bundle"),
    *_each("rtcpMuxPolicy", "require", "negotiate"),
    *_each("iceCandidatePoolSize", 0, 10, 255),
    {"certificates": []},
]
"""Both browsers accept these."""

CONVERTED: Final[list[Options]] = [
    *_with("turn:1.2.3", "turn:12345", "turn:0x7f.1", "turn:01.02.03.04", "turn:b\u00fccher.example", "turn:a%41"),
    *_with(" turn:h", "turn:h\n"),
    *_server(turn("turn:h", 7), turn("turn:h", None), turn("turn:h", "u", {"a": 1})),
    *_each("iceCandidatePoolSize", 1.5, "3", True, None, []),
]
"""Both browsers accept these after a conversion. Here they are faults."""

REFUSED: Final[list[Options]] = [
    *_with("turn:h:0", "turn:h:99999", "turn:h:65536", "stun:h:0", "turn:h:x", "stun:h?transport=udp"),
    *_with("turn:h?transport=tls", "turn:h?transport=", "turn:h?x=udp", "turn:h?transport=udp&x=1", "turn:2001:db8::1"),
    *_with("turn:[]", "turn:[::1", "turn://h", "turn:u@h", "turn:a b", "turn:h/x", "turn:h#x", "", "turn:", "turn::1"),
    *_with("http:h"),
    *_server({}, {"urls": []}, {"urls": None}, {"urls": [1]}, None, 1, "stun:h", []),
    *_each("iceServers", None, {}, "stun:h"),
    {"iceServers": [{"urls": "turn:h", "credential": "p"}]},
    {"iceServers": [{"urls": "turn:h", "username": "u"}]},
    *_server(turn("turn:h", "u", ""), *(turn("turn:h", name) for name in ("u" * 510, "u" * 600, "\u00fc" * 255))),
    *_each("iceTransportPolicy", "none", "foo", "ALL", "", None, 1),
    *_each("bundlePolicy", "foo", "", None),
    *_each("rtcpMuxPolicy", "foo", None),
    *_each("certificates", [1], [{}], [None], None, {}, "x", 1),
]
"""Both browsers refuse these."""

REFUSED_BY_CHROMIUM: Final[list[Options]] = [
    *_with("turn:h:", "turn:h?"),
    {"iceServers": [turn("turn:h", "")]},
    *_each("iceCandidatePoolSize", 256, 300, -1, "x", {}, [300]),
]
"""Chromium refuses these, and Firefox accepts them."""

REFUSED_BY_FIREFOX: Final[list[Options]] = [
    *_with("turn:h:5061", "turn:h:10080", "turn:h:0001", "stuns:h", "turn:h?transport=UDP", "turn:[1::2::3]"),
    *_with("turn:[fe80::1%25eth0]", "turn:[1.2.3.4]", "turn:[dead]", "turn:999.1.1.1", "turn:1.2.3.4.5"),
    *_with("turn:0xfffffffff", "turn:xn--a.example", "turn:xn--.example"),
    *_server(*({**turn("turn:h"), "credentialType": kind} for kind in ("oauth", "foo", None))),
]
"""Firefox refuses these, and Chromium accepts them."""
