import errno
import os
import socket

import pytest

from pixelfleet.net.listen import listening_socket
from pixelfleet.service.errors import UsageError


def refused(host: str, port: int) -> str:
    with pytest.raises(UsageError) as error:
        listening_socket(host, port, "--that-port").close()
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_any_free_port_can_be_had(host: str) -> None:
    with listening_socket(host, 0, "--port") as taken:
        assert taken.getsockname()[1] > 0
        assert not taken.getblocking()


def test_a_port_that_was_used_a_moment_ago_can_be_had() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    with listening_socket("127.0.0.1", port, "--port") as again:
        assert again.getsockname()[1] == port


@pytest.mark.parametrize("other", ["127.0.0.1", "0.0.0.0"])
def test_a_taken_port_is_named(other: str) -> None:
    with socket.create_server((other, 0)) as taken:
        port = taken.getsockname()[1]
        said = refused("127.0.0.1", port)
    assert said.startswith(f"--that-port {port}: the port is taken")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errno.EACCES, "--that-port 81: not allowed to listen on this port; choose one above 1023"),
        (errno.EADDRNOTAVAIL, "--host 127.0.0.1: this machine does not have this address; give one of its own"),
        (errno.ENOBUFS, "--that-port 81 on --host 127.0.0.1: No buffer space available"),
    ],
)
def test_a_port_that_cannot_be_had_is_explained(monkeypatch: pytest.MonkeyPatch, error: int, said: str) -> None:
    def bind(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(socket.socket, "bind", bind)
    assert refused("127.0.0.1", 81) == said


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a..b", ".", "x" * 70, "300.300.300.300", "\udc80"])
def test_a_host_that_is_none_is_named(host: str) -> None:
    assert refused(host, 0).startswith(f"--host {host}: ")


def test_an_address_of_another_machine_is_named() -> None:
    assert "192.0.2.1" in refused("192.0.2.1", 0)


def test_the_option_of_the_host_is_named() -> None:
    with pytest.raises(UsageError, match=r"^--other-host a\.\.b: .*; give an address of this machine$"):
        listening_socket("a..b", 0, "--that-port", "--other-host")
