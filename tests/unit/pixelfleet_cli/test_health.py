import socket
from collections.abc import Iterator

import pytest

from pixelfleet_cli import health
from tests.parts import free_port


@pytest.fixture
def answering() -> Iterator[tuple[str, list[bytes]]]:
    """A URL that answers one request with the first bytes of the list."""
    import threading

    answers: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answers[0])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/livez", answers
        thread.join(5)


@pytest.mark.parametrize(
    ("answer", "alive"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", False),
        (b"not HTTP\r\n\r\n", False),
        (b"", False),
    ],
)
def test_a_service_is_alive_when_it_answers_200(answering: tuple[str, list[bytes]], answer: bytes, alive: bool) -> None:
    url, answers = answering
    answers.append(answer)
    assert health.is_alive(url) is alive


def test_one_healthy_url_is_enough(answering: tuple[str, list[bytes]]) -> None:
    url, answers = answering
    answers.append(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert health.main([f"http://127.0.0.1:{free_port()}/livez", url]) == 0


def test_the_environment_sets_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXELFLEET_HEALTH_URL", f"http://127.0.0.1:{free_port()}/livez")
    assert health.main() == 1
