"""A switchboard that records the sessions of players as spans. A server without tracing uses the plain switchboard."""

from collections.abc import Mapping
from typing import Any, Final

from pixelfleet.fleet.session_spans import APP, SESSION_ID, SIGNALLING, SPECTATOR
from pixelfleet.protocol.messages import Limits
from pixelfleet.service.tracing import Tracing
from signalserver.core.outputs import Close, FirstFrame, IcePathChanged, Send
from signalserver.core.roster import Admission, K, Subscriber
from signalserver.core.sessions import direct_session
from signalserver.core.state import Outputs, Rules
from signalserver.core.switchboard import Switchboard
from signalserver.player_spans import PlayerSpans

NEGOTIATION: Final = frozenset({"offer", "answer", "iceCandidate"})


class TracedSwitchboard(Switchboard[K]):
    """Records the spans of each player from its connection until it has left."""

    def __init__(self, rules: Rules, limits: Limits, tracing: Tracing) -> None:
        super().__init__(rules, limits)
        self._tracing = tracing
        self._spans: dict[K, PlayerSpans] = {}
        self._sender: K | None = None
        """The peer whose message is handled."""

    def player_connected(
        self,
        key: K,
        now: float,
        config: bytes,
        *,
        admission: Admission | None = None,
        former: Subscriber[K] | None = None,
        **options: Any,
    ) -> Outputs[K]:
        """Add a player, and begin its spans: in the trace of its earlier negotiation, or of its admission."""
        outputs = super().player_connected(key, now, config, admission=admission, former=former, **options)
        peer = self.peer(key)
        if peer is not None and peer.subscriber is not None:
            self._begin(key, peer.subscriber, former)
        return outputs

    def received(self, key: K, data: bytes, now: float) -> Outputs[K]:
        """Handle one message of a peer."""
        self._sender = key
        return super().received(key, data, now)

    def left(self, key: K, reason: str = "", *, continues: bool = False) -> Outputs[K]:
        """Remove a peer whose connection ended."""
        outputs = super().left(key, reason, continues=continues)
        self._end(key, None)
        return outputs

    def away(self, key: K, now: float, seconds: float) -> Outputs[K]:
        """Keep the session of a player whose websocket has ended."""
        if (spans := self._spans.get(key)) is not None:
            spans.away()
        return super().away(key, now, seconds)

    def resumed(self, key: K, now: float, address: str = "") -> Outputs[K]:
        """Record that a player has a new websocket."""
        if (spans := self._spans.get(key)) is not None:
            spans.resumed()
        return super().resumed(key, now, address)

    def _finish(self) -> Outputs[K]:
        outputs = super()._finish()
        for output in outputs:
            if isinstance(output, Send):
                if output.kind in NEGOTIATION:
                    self._forwarded(output)
            elif isinstance(output, Close):
                self._end(output.to, output.why.code)
            elif isinstance(output, IcePathChanged) and (spans := self._spans.get(output.player)) is not None:
                spans.path(output.kind)
            elif isinstance(output, FirstFrame) and (spans := self._spans.get(output.player)) is not None:
                spans.first_frame(output.steps, self._tracing.now())
        self._sender = None
        return outputs

    def _begin(self, key: K, player: Subscriber[K], former: Subscriber[K] | None) -> None:
        admission = player.admission
        attributes: Mapping[str, str | bool] = (
            {SESSION_ID: direct_session(player.player_id)}
            if admission is None
            else {SESSION_ID: admission.session_id, APP: admission.shown_as, SPECTATOR: admission.spectator}
        )
        parent = former.trace if former is not None else admission.trace if admission is not None else ""
        spans = self._spans[key] = PlayerSpans(self._tracing.begin(SIGNALLING, attributes, parent=parent))
        player.trace = spans.traceparent

    def _forwarded(self, send: Send[K]) -> None:
        spans = self._spans.get(send.to)
        if spans is None and self._sender is not None:
            spans = self._spans.get(self._sender)
        if spans is not None:
            spans.forwarded(send.kind, self._tracing.now())

    def _end(self, key: K, code: int | None) -> None:
        if (spans := self._spans.pop(key, None)) is not None:
            spans.end(code)
