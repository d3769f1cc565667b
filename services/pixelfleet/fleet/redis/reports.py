"""Encodes the reports of servers for the script `report`."""

import hashlib
from typing import Final, NamedTuple

import msgspec
import orjson

from pixelfleet.fleet.model import ServerReport, StreamerReport, selector_of
from pixelfleet.fleet.records import facts_text

DIGEST_BYTES: Final = 9

_write: Final = msgspec.json.Encoder().encode


class _Known(NamedTuple):
    """The encoded facts of one streamer, as it was last reported."""

    report: StreamerReport
    key: str
    facts: list[bytes]
    joined: bytes


class _Accepted(NamedTuple):
    """The last report of a server, which the store has accepted."""

    streamers: tuple[StreamerReport, ...]
    digest: bytes


class ReportWriter:
    """Encodes reports; each arrival and departure causes one, and most streamers in it are as they were before."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, _Known]] = {}
        """The streamers by server and endpoint id, of servers that report themselves."""
        self._accepted: dict[str, _Accepted] = {}
        """The last reports of servers with streamers that report themselves."""

    def accepted(self, report: ServerReport, digest: bytes) -> None:
        """Record that the store has accepted a report with this digest."""
        if report.streamers and not report.owner and not report.fence:
            self._accepted[report.server_id] = _Accepted(report.streamers, digest)

    def unchanged(self, report: ServerReport) -> bytes | None:
        """Return the digest of the last accepted report if this one only repeats it, otherwise None.

        With None the accepted report is forgotten: a whole report follows, and may fail.
        """
        accepted = self._accepted.pop(report.server_id, None)
        if accepted is None or report.ended or report.facts or report.owner or report.fence:
            return None
        return accepted.digest if accepted.streamers == report.streamers else None

    def words(self, report: ServerReport) -> list[bytes]:
        """Return the arguments of the script from the digest on."""
        before = self._known.pop(report.server_id, {})
        keys: list[str] = []
        facts: list[bytes] = []
        joined = [b""]
        known: dict[str, _Known] = {}
        for each in report.streamers:
            found = before.get(each.endpoint_id)
            if found is None or found.report != each:
                found = _encoded(each)
            known[each.endpoint_id] = found
            keys.append(found.key)
            joined.append(found.joined)
            facts += found.facts
        if known and not report.owner:
            self._known[report.server_id] = known
        named = joined[0] = orjson.dumps(keys)
        digest = hashlib.blake2b(b"\0".join(joined), digest_size=DIGEST_BYTES).hexdigest()
        changes = [text for name, each in report.facts.items() for text in (name, facts_text(each))]
        return [digest.encode(), orjson.dumps(report.ended), orjson.dumps(changes), named, *facts]


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
        orjson.dumps(report.warned),
    ]
    return _Known(report, report.key, facts, b"\0".join(facts))
