import pytest

from pixelfleet.service.errors import UsageError
from pixelfleet_cli.loadtest.core.target import check_owner, is_loopback, websocket_url, with_query

FOREIGN = (
    "ws://example.com/",
    "wss://10.0.0.1/ws",
    "ws://localhost.example.com/",
    "ws://127.0.0.1.example.com/",
    "ws://[2001:db8::1]/",
    "ws://0.0.0.0/",
    "ws://notlocalhost/",
    "ws://192.168.1.1:80/",
)
OWN = ("ws://127.0.0.1/", "ws://127.9.9.9:1/", "ws://[::1]:8080/", "ws://localhost/", "wss://play.localhost/?app=car")


@pytest.mark.parametrize("url", FOREIGN)
def test_a_target_on_another_machine_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="--yes-i-own-it"):
        check_owner("--url", url, owned=False)
    check_owner("--url", url, owned=True)


@pytest.mark.parametrize("url", OWN)
def test_this_machine_is_accepted(url: str) -> None:
    assert is_loopback(url)
    check_owner("--url", url, owned=False)


def test_the_refusal_does_not_repeat_a_signed_link() -> None:
    with pytest.raises(UsageError) as raised:
        check_owner("--url", "wss://play.example/ws?link=secret", owned=False)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/"),
        ("https://play.example/a/?app=car#x", "wss://play.example/a/?app=car"),
        ("ws://127.0.0.1:4000/ws", "ws://127.0.0.1:4000/ws"),
    ],
)
def test_a_page_is_dialled_as_a_websocket(url: str, expected: str) -> None:
    assert websocket_url("--url", url) == expected


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://a/", "http://", "ws://user@a/", "ws://a:99999/", "ws://[::1/", "ws://a b/"]
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match="--url"):
        websocket_url("--url", url)


def test_parameters_are_added_to_a_query() -> None:
    assert with_query("ws://a/", {}) == "ws://a/"
    assert with_query("ws://a/", {"resume": "1"}) == "ws://a/?resume=1"
    assert with_query("ws://a/?app=car", {"resume": "1"}) == "ws://a/?app=car&resume=1"
