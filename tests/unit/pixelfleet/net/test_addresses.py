import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pixelfleet.net.addresses import local_host, parse_address, url_address, url_host


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("matchmaker:9999", ("matchmaker", 9999)),
        ("10.0.0.1:1", ("10.0.0.1", 1)),
        ("[::1]:9999", ("::1", 9999)),
    ],
)
def test_host_and_port_are_taken_apart(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


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
        host, port = parse_address(text)
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


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ws://10.0.0.1:4000/?a=b", ("10.0.0.1", 4000)),
        ("ws://stream.example", ("stream.example", 80)),
        ("wss://stream.example/", ("stream.example", 443)),
        ("https://[2001:db8::1]/", ("2001:db8::1", 443)),
        ("nonsense", ("", 80)),
    ],
)
def test_a_url_has_the_port_of_its_scheme_unless_it_names_one(url: str, address: tuple[str, int]) -> None:
    assert url_address(url) == address
