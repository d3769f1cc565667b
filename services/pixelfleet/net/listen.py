"""Binds a TCP port; the error for a port that is not available names the option to change."""

import errno
import socket

from pixelfleet.service.errors import UsageError


def listening_socket(host: str, port: int, option: str) -> socket.socket:
    """Return a bound socket; raise UsageError, which names the option, when the address is not available.

    Port 0 selects any free port.
    """
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:  # getaddrinfo raises UnicodeError for an invalid host name
        raise UsageError(f"--host {host}: {getattr(error, 'strerror', None) or 'is not a host name'}") from None
    family, kind, protocol, _, address = infos[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise UsageError(_explain(error, host, port, option)) from None
    return listener


def _explain(error: OSError, host: str, port: int, option: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{option} {port}: the port is taken; end what listens there or choose another with {option}"
    if error.errno == errno.EACCES:
        return f"{option} {port}: not allowed to listen on this port; choose one above 1023"
    return f"{option} {port} on {host}: {error.strerror or error}"
