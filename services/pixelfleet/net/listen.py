"""Binds a TCP port; the error for a port that is not available names the option to change."""

import errno
import socket
import sys
from typing import Final

if sys.platform != "win32":
    import resource

from pixelfleet.service.errors import UsageError

MAX_CONNECTIONS: Final = 16_384
"""The limit of one port where the process may open many files."""

MIN_CONNECTIONS: Final = 8


def connection_limit(share: int) -> int:
    """Return a limit for the connections of one port: at most one `share`th of the file descriptors of the process."""
    if sys.platform == "win32":  # without such a limit
        return MAX_CONNECTIONS
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if descriptors < 0:  # unlimited
        return MAX_CONNECTIONS
    return max(MIN_CONNECTIONS, min(MAX_CONNECTIONS, descriptors // share))


def listening_socket(host: str, port: int, option: str, host_option: str = "--host") -> socket.socket:
    """Return a bound socket; raise UsageError, which names the option, when the address or port is not available.

    Port 0 selects any free port.
    """
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:  # getaddrinfo raises UnicodeError for an invalid host name
        why = getattr(error, "strerror", None) or "is not a host name"
        raise UsageError(f"{host_option} {host}: {why}; give an address of this machine") from None
    family, kind, protocol, _, address = infos[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise UsageError(_explain(error, f"{host_option} {host}", f"{option} {port}")) from None
    return listener


def _explain(error: OSError, host: str, port: str) -> str:
    """Return the error with the options of host and port and their values."""
    if error.errno == errno.EADDRINUSE:
        return f"{port}: the port is taken; end what listens there or choose another with {port.split(maxsplit=1)[0]}"
    if error.errno == errno.EACCES:
        return f"{port}: not allowed to listen on this port; choose one above 1023"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host}: this machine does not have this address; give one of its own"
    return f"{port} on {host}: {error.strerror or error}"
