"""Session descriptions of peers without media: an offer of H.264, and an answer to any offer. No I/O."""

from typing import Final

MAX_LENGTH: Final = 64 * 1024
MAX_SECTIONS: Final = 16

_FINGERPRINT: Final = ":".join(["00"] * 32)
_TRANSPORT: Final = (
    "c=IN IP4 0.0.0.0",
    "a=ice-ufrag:load",
    f"a=ice-pwd:{'load' * 6}",
    f"a=fingerprint:sha-256 {_FINGERPRINT}",
)
_SESSION: Final = ("v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0")
_KEPT: Final = ("a=rtpmap:", "a=fmtp:", "a=mid:", "a=sctp-port:", "a=rtcp-mux")
_ANSWERED: Final = {"sendrecv": "recvonly", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


def _lines(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in lines)


OFFER: Final = _lines(
    *_SESSION,
    "a=group:BUNDLE 0 1",
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    *_TRANSPORT,
    "a=setup:actpass",
    "a=mid:0",
    "a=sendonly",
    "a=rtcp-mux",
    "a=rtpmap:96 H264/90000",
    "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    *_TRANSPORT,
    "a=setup:actpass",
    "a=mid:1",
    "a=sctp-port:5000",
)
"""The offer of a test streamer without media."""


def answer_to(offer: str) -> str:
    """Return an answer that accepts every section of an offer, and whose transport nobody can reach."""
    if len(offer) > MAX_LENGTH:
        return _lines(*_SESSION)
    head, *sections = f"\n{offer}".replace("\r\n", "\n").split("\nm=")
    groups = [line for line in head.split("\n") if line.startswith("a=group:BUNDLE")]
    found = [*_SESSION, *groups]
    for section in sections[:MAX_SECTIONS]:
        if section.strip():
            found += _section(section.split("\n"))
    return _lines(*found)


def _section(lines: list[str]) -> list[str]:
    kind, *rest = lines[0].split()
    offered = next((line[2:] for line in lines if line[2:] in _ANSWERED), "sendrecv")
    own = [] if kind == "application" else [f"a={_ANSWERED[offered]}"]
    media = " ".join([kind, "9", *rest[1:]])
    return [f"m={media}", *_TRANSPORT, "a=setup:active", *own, *(line for line in lines if line.startswith(_KEPT))]
