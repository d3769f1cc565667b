import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pixelfleet.net.addresses import address_of, local_host, url_host


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("matchmaker:9999", ("matchmaker", 9999)),
        ("10.0.0.1:1", ("10.0.0.1", 1)),
        ("[::1]:9999", ("::1", 9999)),
    ],
)
def test_host_and_port_are_taken_apart(text: str, address: tuple[str, int]) -> None:
    assert address_of(text) == address


@given(st.text(max_size=30))
@example("host")
@example("host:")
@example(":9999")
@example("host:99999")
@example("host:port")
@example("host:1/path")
@example("host:1?query")
@example("user@host:1")
@example("http://host:1")
@example("::1:9999")
@example("[::1")
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    try:
        host, port = address_of(text)
    except ValueError:
        return
    assert host
    assert host.lower() in text.lower()
    assert 0 <= port <= 65535


@pytest.mark.parametrize(
    ("host", "written", "local"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("box.example", "box.example", "box.example"),
        ("0.0.0.0", "0.0.0.0", "127.0.0.1"),
        ("::", "[::]", "[::1]"),
        ("2001:db8::1", "[2001:db8::1]", "[2001:db8::1]"),
    ],
)
def test_a_host_is_written_as_urls_have_it(host: str, written: str, local: str) -> None:
    assert (url_host(host), local_host(host)) == (written, local)
