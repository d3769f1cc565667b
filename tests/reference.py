"""Names of the reference servers, for unit and integration tests."""

from typing import Any, Final

GAUGES: Final = {
    "signalserver_player_socket_connections",
    "signalserver_stream_socket_connections",
    "signalserver_stream_socket_open_indicator",
    "signalserver_matchmaker_socket_open_indicator",
    "signalserver_free_stream_indicator",
    "stream_player_connections",
}
"""The metric names that dashboards and autoscalers of legacy systems read."""

CIRRUS_JSON: Final[dict[str, Any]] = {
    "UseFrontend": False,
    "UseMatchmaker": False,
    "UseHTTPS": False,
    "HTTPSCertFile": "./certificates/client-cert.pem",
    "HTTPSKeyFile": "./certificates/client-key.pem",
    "UseAuthentication": False,
    "LogToFile": True,
    "LogVerbose": True,
    "HomepageFile": "player.html",
    "AdditionalRoutes": {},
    "EnableWebserver": True,
    "MatchmakerAddress": "",
    "MatchmakerPort": "9999",
    "PublicIp": "localhost",
    "HttpPort": 80,
    "HttpsPort": 443,
    "StreamerPort": 8888,
    "SFUPort": 8889,
    "MaxPlayerCount": -1,
    "DisableSSLCert": True,
}
"""Every key of cirrus's config file with its default."""
