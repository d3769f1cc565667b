"""The dialect of each legacy server: the one that the settings name, or the one that the server has shown."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import structlog

from matchmaker.legacy.dialects import UNREAL_5, DialectRule
from pixelfleet.protocol.messages import SHAPES

log = structlog.get_logger(__name__)

K = TypeVar("K")
V = TypeVar("V")

MAX_REMEMBERED: Final = 16_384
"""The servers whose dialect is remembered, and the pairs of server and type or faults that are logged only once."""

MAX_LOGGED: Final = 500
"""Characters of the faults of one `config` in the log."""

OTHER: Final = "other"
"""A type that no service supports, or no type: players choose its text."""


class LegacyDialects:
    """The dialect of each legacy server: the one that the settings name, or the one that the server has shown."""

    def __init__(self, rules: Sequence[DialectRule]) -> None:
        """Of two rules with the same precision the later one applies."""
        self._rules = sorted(rules, key=lambda rule: rule.precision)[::-1]
        self._shown: OrderedDict[str, str] = OrderedDict()
        self._logged: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.on_shown: Callable[[str], None] = lambda _server_id: None
        """Called with the id of a server that has shown another dialect than before."""

    def named(self, host: str, port: int) -> str:
        """Return the dialect that the settings name for a server."""
        return next((rule.dialect for rule in self._rules if rule.covers(host, port)), UNREAL_5)

    def of(self, server_id: str, named: str) -> str:
        """Return the dialect of a server for which the settings name `named`."""
        return self._shown.get(server_id, named) if named == UNREAL_5 else named

    def shown(self, server_id: str, dialect: str) -> None:
        """Remember the dialect that a server has shown; an older one than before is ignored."""
        if dialect > self._shown.get(server_id, UNREAL_5):
            _remember(self._shown, server_id, dialect)
            log.info("legacy server has shown its dialect", server=server_id, dialect=dialect)
            self.on_shown(server_id)

    def forget(self, server_id: str) -> None:
        """Forget what a server has shown: it has connected again, perhaps as another version."""
        self._shown.pop(server_id, None)

    def dropped(self, server_id: str, kind: str, dialect: str) -> None:
        """Log that a player's message is not forwarded: once for each server and type."""
        kind = kind if kind in SHAPES else OTHER
        if (server_id, kind) not in self._logged:
            _remember(self._logged, (server_id, kind), None)
            log.info("message type not forwarded to legacy server", server=server_id, kind=kind, dialect=dialect)

    def config_mended(self, server_id: str, faults: Sequence[str]) -> None:
        """Log what was left out of a server's `config`: once for each server and list of faults."""
        text = "; ".join(faults)[:MAX_LOGGED]
        if text and (server_id, text) not in self._logged:
            _remember(self._logged, (server_id, text), None)
            log.warning("config of legacy server mended", server=server_id, left_out=text)


def _remember(entries: OrderedDict[K, V], key: K, value: V) -> None:
    """Store an entry; the oldest one is dropped when there are too many."""
    entries[key] = value
    while len(entries) > MAX_REMEMBERED:
        entries.popitem(last=False)
