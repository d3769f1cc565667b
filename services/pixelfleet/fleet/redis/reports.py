"""Encodes the reports of servers for the script `report`."""

import hashlib
from typing import Final, NamedTuple

import msgspec
import orjson

from pixelfleet.fleet.model import ServerReport, StreamerReport, selector_of

DIGEST_BYTES: Final = 9

_write: Final = msgspec.json.Encoder().encode


class _Known(NamedTuple):
    """The encoded facts of one streamer, as it was last reported."""

    report: StreamerReport
    facts: list[bytes]
    joined: bytes


class ReportWriter:
    """Encodes reports; each arrival and departure causes one, and most streamers in it are as they were before."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, _Known]] = {}
        """The streamers by server and key, of servers that report themselves."""

    def words(self, report: ServerReport) -> list[bytes]:
        """Return the arguments of the script from the digest on."""
        before = self._known.pop(report.server_id, {})
        keys, streamers = [each.key for each in report.streamers], []
        for key, each in zip(keys, report.streamers, strict=True):
            found = before.get(key)
            streamers.append(found if found is not None and found.report == each else _encoded(each))
        if streamers and not report.owner:
            self._known[report.server_id] = dict(zip(keys, streamers, strict=True))
        named = orjson.dumps(keys)
        content = b"\0".join([named, *(each.joined for each in streamers)])
        digest = hashlib.blake2b(content, digest_size=DIGEST_BYTES).hexdigest()
        return [
            digest.encode(),
            orjson.dumps(report.ended),
            named,
            *(fact for each in streamers for fact in each.facts),
        ]


def _encoded(report: StreamerReport) -> _Known:
    facts = [
        report.endpoint_id.encode(),
        report.app.encode(),
        b"%d" % report.capacity,
        b"1" if report.ready and not report.draining else b"0",
        orjson.dumps(report.sessions),
        orjson.dumps(report.spectators),
        selector_of(report.labels).encode(),
        report.node.encode(),
        b"%d" % report.legacy,
        b"%d" % report.players,
        _write(report),
        orjson.dumps(report.away),
    ]
    return _Known(report, facts, b"\0".join(facts))
