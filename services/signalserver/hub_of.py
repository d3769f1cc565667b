"""Makes the hub of a signalling server from its settings."""

from pixelfleet.fleet.invites import invite_key
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.protocol.messages import Limits
from pixelfleet.service.tracing import Tracing
from signalserver.application.watch import ApplicationWatch
from signalserver.core.sessions import Sessions
from signalserver.core.state import Rules
from signalserver.core.switchboard import Switchboard
from signalserver.hub import Hub, OnCall, OnInvite
from signalserver.invitations import Invitations
from signalserver.metrics import Metrics
from signalserver.peer_socket import PeerSocket
from signalserver.settings import Settings
from signalserver.traced_switchboard import TracedSwitchboard


def hub_of(
    settings: Settings,
    tracing: Tracing,
    metrics: Metrics,
    heartbeat: Heartbeat,
    watch: ApplicationWatch,
    on_call: OnCall | None,
) -> Hub:
    """Return a hub with its switchboard and its sessions; `on_call` starts players' calls to the application."""
    sessions: Sessions[PeerSocket] = Sessions(settings.capacity)
    hub = Hub(_switchboard(settings, tracing), metrics, heartbeat, watch, sessions, on_call, _invites(settings))
    metrics.watch_away(lambda: hub.switchboard.away_count)
    return hub


def _switchboard(settings: Settings, tracing: Tracing) -> Switchboard[PeerSocket]:
    rules = Rules(
        legacy_streamers=settings.dialect == "legacy",
        identify_seconds=settings.identify_seconds,
        first_media_seconds=settings.first_media_seconds,
        max_players_per_streamer=settings.max_players_per_streamer,
        tell_player_count=settings.tell_player_count,
        name_streams=settings.name_streams,
        max_bad_messages=settings.max_bad_messages,
        session=settings.session_rules(),
        max_people=settings.max_people,
        max_invites=settings.max_invites,
    )
    limits = Limits(settings.max_nesting)
    return TracedSwitchboard(rules, limits, tracing) if tracing.enabled else Switchboard(rules, limits)


def _invites(settings: Settings) -> OnInvite | None:
    """Return the function that makes the invites of hosts; None without a session key."""
    key = settings.session_key
    return Invitations(invite_key(key.get_secret_value())).make if key is not None else None
