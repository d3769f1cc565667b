"""Logs, counts and records the outputs of the switchboard that require no other action."""

from collections.abc import Mapping
from typing import Final, Protocol

import structlog

from signalserver.core.outputs import (
    FirstFrame,
    IcePathChanged,
    InputOffered,
    LimitReached,
    MessageDropped,
    MessageRefused,
    MessageWithheld,
    NegotiatedAgain,
    PlaybackReported,
    VideoFailed,
)
from signalserver.core.roster import Role
from signalserver.ledger import Ledger
from signalserver.metrics import Metrics
from signalserver.peer_socket import PeerSocket

log = structlog.get_logger(__name__)

NOT_ACCEPTED: Final = "the streamer's version does not accept this type"
UNREAL_5_0: Final = "streamers at this address are sent only the messages of Unreal 5.0"
UNREAL_4: Final = "streamers of Unreal 4.27 need --dialect legacy"
IGNORES_REQUEST: Final = "it ignores `dataChannel: false`: its spectators and muted guests can send input"

Entry = (
    IcePathChanged[PeerSocket]
    | FirstFrame[PeerSocket]
    | PlaybackReported[PeerSocket]
    | VideoFailed[PeerSocket]
    | LimitReached[PeerSocket]
    | NegotiatedAgain[PeerSocket]
    | InputOffered[PeerSocket]
    | MessageDropped[PeerSocket]
    | MessageWithheld[PeerSocket]
    | MessageRefused
)


class Connection(Protocol):
    """What the log has about a connection."""

    role: Role
    peer_id: str
    session_id: str | None

    @property
    def session(self) -> str:
        """The name of its session in reports."""


class Journal:
    """The log, the metrics and the ledger of one hub."""

    def __init__(self, metrics: Metrics, ledger: Ledger) -> None:
        self._metrics = metrics
        self._ledger = ledger
        self._tallies = metrics.messages

    def record(self, entry: Entry, connections: Mapping[PeerSocket, Connection]) -> None:
        """Log and count an output; nothing if the connection that it is about is closed."""
        if isinstance(entry, MessageRefused):
            self._refused(entry)
            return
        connection = connections.get(entry[0])
        if connection is None:
            return
        if isinstance(entry, MessageDropped):
            self._dropped(entry, connection)
        elif isinstance(entry, MessageWithheld):
            self._withheld(entry)
        elif isinstance(entry, IcePathChanged):
            self._path(entry, connection)
        elif isinstance(entry, FirstFrame):
            self._first_frame(entry, connection)
        elif isinstance(entry, PlaybackReported):
            self._ledger.set_playback(connection.session, entry.codec, entry.stall)
        elif isinstance(entry, VideoFailed):
            self._video_failed(entry, connection)
        elif isinstance(entry, LimitReached):
            self._limit_reached(entry, connection)
        elif isinstance(entry, NegotiatedAgain):
            self._negotiated_again(entry, connection)
        elif isinstance(entry, InputOffered):
            self._input_offered(entry, connection)

    def _path(self, path: IcePathChanged[PeerSocket], connection: Connection) -> None:
        self._tallies.paths[path.kind] += 1
        self._ledger.set_path(connection.session, path.kind)
        log.info("ice path changed", peer=connection.peer_id, session=connection.session_id, path=path.kind)

    def _first_frame(self, report: FirstFrame[PeerSocket], connection: Connection) -> None:
        self._metrics.first_frame(report.steps)
        self._ledger.set_first_frame(connection.session, report.steps)
        steps = {step: round(seconds, 3) for step, seconds in report.steps.items()}
        log.info("first frame", peer=connection.peer_id, session=connection.session_id, **steps)

    def _video_failed(self, failure: VideoFailed[PeerSocket], connection: Connection) -> None:
        self._metrics.video_failed(failure.reason, failure.codecs)
        log.warning(
            "video failed",
            peer=connection.peer_id,
            session=connection.session_id,
            why=failure.reason,
            codecs=", ".join(failure.codecs),
        )

    def _limit_reached(self, reached: LimitReached[PeerSocket], connection: Connection) -> None:
        self._metrics.sessions_limited.labels(reached.limit.value).inc()
        log.info("limit reached", peer=connection.peer_id, session=connection.session_id, limit=reached.limit.value)

    def _negotiated_again(self, again: NegotiatedAgain[PeerSocket], connection: Connection) -> None:
        log.info(
            "player negotiates again",
            peer=connection.peer_id,
            session=connection.session_id,
            now=again.player_id,
            input=not again.watches,
        )
        connection.peer_id = again.player_id

    def _input_offered(self, offered: InputOffered[PeerSocket], connection: Connection) -> None:
        log.warning(
            "streamer offers a spectator a data channel",
            peer=connection.peer_id,
            session=connection.session_id,
            streamer=offered.streamer,
            why=IGNORES_REQUEST,
        )

    def _dropped(self, drop: MessageDropped[PeerSocket], connection: Connection) -> None:
        self._tallies.dropped[connection.role.value, drop.kind] += 1
        # Logged at 1, 2, 4, 8, … of one peer, so that a client cannot fill the log.
        if drop.nth & (drop.nth - 1) == 0:
            log.warning(
                "message dropped",
                role=connection.role.value,
                peer=connection.peer_id,
                session=connection.session_id,
                type=drop.kind,
                why=drop.why,
                count=drop.nth,
            )

    def _withheld(self, withheld: MessageWithheld[PeerSocket]) -> None:
        self._tallies.dropped[Role.PLAYER.value, withheld.kind] += 1
        if withheld.first:
            log.info("message not forwarded", streamer=withheld.streamer, type=withheld.kind, why=NOT_ACCEPTED)

    def _refused(self, refused: MessageRefused) -> None:
        log.warning(
            "streamer refused a message",
            peer=refused.streamer,
            address=refused.address,
            type=refused.kind,
            next=UNREAL_4 if refused.kind in ("identify", "playerConnected") else UNREAL_5_0,
        )
