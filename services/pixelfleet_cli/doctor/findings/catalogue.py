"""The catalogue of findings. docs/reference/doctor.md lists the same, and a test compares the two."""

from typing import Final

from pixelfleet_cli.doctor.findings.model import Kind, Severity

_CATALOGUE: dict[str, Kind] = {}


def _define(severity: Severity, name: str, meaning: str, next_step: str) -> Kind:
    if name in _CATALOGUE:
        raise ValueError(f"the finding {name} is defined twice")
    _CATALOGUE[name] = Kind(name, severity, meaning, next_step)
    return _CATALOGUE[name]


def _error(name: str, meaning: str, next_step: str) -> Kind:
    return _define(Severity.ERROR, name, meaning, next_step)


def _warning(name: str, meaning: str, next_step: str) -> Kind:
    return _define(Severity.WARNING, name, meaning, next_step)


def catalogue() -> tuple[Kind, ...]:
    """Return every kind of finding."""
    return tuple(_CATALOGUE.values())


# -- this machine, the address, the connection ------------------------------------------------------

SERVICE_NOT_READY: Final = _warning(
    "service-not-ready",
    "A service on its default port of this machine answers that it is not ready.",
    "Remove the reason that the service gives, and read its log.",
)
NAME_UNKNOWN: Final = _error(
    "name-unknown", "The host name has no address.", "Create the DNS record, or correct the host of the URL."
)
DNS_FAILED: Final = _error(
    "dns-failed",
    "The resolver of this machine did not answer.",
    "Check the DNS server and the network of this machine.",
)
CONNECTION_REFUSED: Final = _error(
    "connection-refused",
    "The host is up, and nothing accepts connections on the port.",
    "Start the router or the proxy before it, or correct the port of the URL.",
)
NO_CONNECTION: Final = _error(
    "no-connection",
    "No connection to the host could be made in time.",
    "Check the firewall, the load balancer and the route to this address.",
)
ADDRESS_DEAD: Final = _warning(
    "address-dead",
    "Some addresses of the host accept no connection: players that try them first wait, or fail.",
    "Remove these addresses from DNS, or make the host listen on them.",
)

# -- TLS --------------------------------------------------------------------------------------------

NOT_ENCRYPTED: Final = _warning(
    "not-encrypted",
    "The page is served over plain HTTP: browsers allow no gamepad, microphone and clipboard there.",
    "Serve the page over HTTPS, at the proxy or with --tls-cert and --tls-key of the router.",
)
TLS_FAILED: Final = _error(
    "tls-failed",
    "The port does not complete a TLS handshake.",
    "Use http:// if the port serves plain HTTP; otherwise check TLS versions and the proxy's log.",
)
CERTIFICATE_EXPIRED: Final = _error(
    "certificate-expired",
    "The certificate is past its last day.",
    "Renew the certificate and reload the server that uses it.",
)
CERTIFICATE_NOT_YET_VALID: Final = _error(
    "certificate-not-yet-valid",
    "The certificate becomes valid later.",
    "Compare the clock of this machine; otherwise wait, or issue the certificate again.",
)
CERTIFICATE_WRONG_NAME: Final = _error(
    "certificate-wrong-name",
    "The certificate does not name the host of the URL.",
    "Open the page under a name of the certificate, or issue one that names this host.",
)
CERTIFICATE_UNTRUSTED: Final = _error(
    "certificate-untrusted",
    "The certificate does not lead to a known authority: it is self-signed, or intermediate ones are missing.",
    "Serve the full chain. For an authority of your own, give its certificate with --tls-ca.",
)
CERTIFICATE_ENDS_SOON: Final = _warning(
    "certificate-ends-soon",
    "The certificate is valid for less than two weeks.",
    "Check the automatic renewal, as for PixelfleetCertificateSoonOut in operations.md.",
)

# -- the page ---------------------------------------------------------------------------------------

NO_HTTP: Final = _error(
    "no-http",
    "The port accepts connections and answers no HTTP.",
    "Use https:// if the port expects TLS; otherwise check which program listens there.",
)
REDIRECT_LOOP: Final = _error(
    "redirect-loop", "The redirects of the page do not end.", "Correct the redirects of the proxy."
)
SIGN_IN_NEEDED: Final = _warning(
    "sign-in-needed",
    "The server requires authentication, so the doctor sees only the refusal.",
    "Give a URL with a signed link (pixelfleet link), or with name and password.",
)
REFUSED_BY_PIXELFLEET: Final = _error(
    "refused-by-pixelfleet",
    "A service of Pixelfleet refused the request, and gave its reason.",
    "Remove the reason, which docs/reference/router.md explains.",
)
REFUSED_BY_PROXY: Final = _error(
    "refused-by-proxy",
    "A proxy or another server answered in place of Pixelfleet, with an error.",
    "Read the log of the proxy: its upstream address, its health checks, its rules.",
)
NOT_A_PLAYER_PAGE: Final = _warning(
    "not-a-player-page",
    "The URL serves something else than a player page: it loads no script.",
    "Correct the path of the URL, or the route of the proxy.",
)
SLASH_MISSING: Final = _error(
    "slash-missing",
    "The page is served without the slash at the end of its path, so that its files are sought one level too high.",
    "Make the proxy redirect the path without a slash to the one with it.",
)
ASSETS_MISSING: Final = _error(
    "assets-missing",
    "The page is served, and files that it loads are not.",
    "Route the whole prefix to the router, and set its --path-prefix if the proxy keeps the prefix.",
)
ASSETS_WRONG_TYPE: Final = _error(
    "assets-wrong-type",
    "A script or style of the page has a content type that browsers refuse.",
    "Remove the proxy's rule that answers unknown paths with a page, or changes Content-Type.",
)
CLOCK_DIFFERS: Final = _warning(
    "clock-differs",
    "The clocks of this machine and of the server differ by more than tokens allow for.",
    "Synchronise both clocks with NTP.",
)

# -- the websocket ----------------------------------------------------------------------------------

UPGRADE_EATEN: Final = _error(
    "upgrade-eaten",
    "The server received a plain request: a proxy removed the headers of the websocket upgrade.",
    "Make the proxy forward Upgrade and Connection, as in docs/how-to/reverse-proxies.md.",
)
UPGRADE_BROKEN: Final = _error(
    "upgrade-broken",
    "The headers of the websocket upgrade arrive changed, in the request or in the answer.",
    "Make the proxy forward Upgrade, Connection and Sec-WebSocket-*, as in docs/how-to/reverse-proxies.md.",
)
NOT_A_WEBSOCKET: Final = _error(
    "not-a-websocket",
    "The path of the websocket is answered as an ordinary page or file, or is unknown.",
    "Route the path ws beside the page to the router, as the page itself.",
)
WEBSOCKET_CLOSED: Final = _error(
    "websocket-closed",
    "The websocket was opened and closed again at once.",
    "Look the close code up in docs/reference, and read the log of the router and the matchmaker.",
)
WEBSOCKET_SILENT: Final = _warning(
    "websocket-silent",
    "The websocket was opened, and the first message of the server did not arrive.",
    "Turn off buffering in the proxy; otherwise check the matchmaker.",
)
IDLE_CUT: Final = _error(
    "idle-cut",
    "The websocket was cut while it was idle, before a keepalive passed.",
    "Raise the proxy's idle limit above --ping-interval of the services, or lower that interval.",
)
CONNECTION_CUT: Final = _error(
    "connection-cut",
    "The websocket was cut although keepalives passed.",
    "Look for a limit on the length of a connection, at the proxy, the load balancer and the firewall.",
)
NO_KEEPALIVE: Final = _warning(
    "no-keepalive",
    "The idle websocket lived, and no keepalive of the server arrived.",
    "Set --ping-interval of the services below the idle limits on the way.",
)

# -- streamers and the offer ------------------------------------------------------------------------

LIST_UNREADABLE: Final = _warning(
    "list-unreadable",
    "The list of applications could not be read with the token.",
    "Compare --token-file with --rest-token of the matchmaker, and check /readyz of the router.",
)
NO_STREAMER: Final = _error(
    "no-streamer",
    "No streamer of the requested application is connected.",
    "Start the application, and check its -PixelStreamingURL and the log of its signalling server.",
)
NONE_FREE: Final = _warning(
    "none-free",
    "Every streamer is taken: a new player waits.",
    "Wait, or add streamers; PixelfleetQueueTooLong in operations.md has the causes.",
)
QUARANTINED: Final = _warning(
    "quarantined",
    "The matchmaker could not reach some streamers, and matches nobody to them for a time.",
    "Follow PixelfleetStreamerSetAside in operations.md.",
)
JOIN_REFUSED: Final = _error(
    "join-refused", "The player was refused after it joined.", "Remove the reason that the server gives."
)
NO_OFFER: Final = _error(
    "no-offer",
    "The player got a streamer, and the streamer sent no offer.",
    "Read the log of the application; PixelfleetApplicationStuck in operations.md has the causes.",
)
NO_VIDEO: Final = _error(
    "no-video",
    "The offer has no video, or a video that is switched off.",
    "Check the capture and the encoder of the application.",
)
CODEC_NARROW: Final = _warning(
    "codec-narrow",
    "The offer has no codec that every browser plays.",
    "Let the application offer H264 or VP8, too.",
)
VIDEO_WITHOUT_STREAM: Final = _warning(
    "video-without-stream",
    "The video belongs to no stream (msid): stock pages connect and show nothing.",
    "Let the streamer add its track with a stream.",
)

# -- TURN -------------------------------------------------------------------------------------------

TURN_NONE: Final = _warning(
    "turn-none",
    "Players get no TURN server, so that strict networks block the video.",
    "Set up TURN, as docs/how-to/turn.md describes.",
)
ICE_UNUSABLE: Final = _error(
    "ice-unusable",
    "Browsers refuse the list of ICE servers.",
    "Correct --peer-options of the signalling server, or the options of the TURN API.",
)
TURN_API_FAILED: Final = _error(
    "turn-api-failed", "The TURN API gave no list of servers.", "Check --turn-url, and the log of the TURN API."
)
TURN_CREDENTIALS: Final = _error(
    "turn-credentials",
    "A TURN server refuses the credentials that players get.",
    "Compare --secret of the TURN API with coturn's static-auth-secret, and the clocks of both.",
)
TURN_FAILED: Final = _error(
    "turn-failed",
    "No TURN server relays from this machine.",
    "Check that coturn runs, and the firewall: 3478, and UDP 49152 to 65535.",
)
TURN_PARTLY: Final = _warning(
    "turn-partly",
    "Some TURN servers or transports do not work from this machine.",
    "Run pixelfleet turn-check, and remove servers that are gone.",
)
