from pixelfleet.net.bounds import Bounds
from pixelfleet.net.peer_settings import PeerSettings


def test_the_defaults_are_those_of_the_bounds() -> None:
    assert PeerSettings().bounds() == Bounds()


def test_every_bound_is_a_setting() -> None:
    settings = PeerSettings(
        max_message_bytes=5000,
        max_messages_per_second=7,
        max_message_burst=11,
        send_buffer_bytes=9000,
        handshake_seconds=3,
        hold_seconds=1,
        dial_seconds=2,
    )
    assert settings.bounds() == Bounds(
        message_bytes=5000,
        messages_per_second=7,
        message_burst=11,
        send_buffer_bytes=9000,
        handshake_seconds=3,
        hold_seconds=1,
    )


def test_an_upstream_speaks_for_many_and_may_be_slow_to_answer_in_its_own_way() -> None:
    settings = PeerSettings(max_message_bytes=5000, dial_seconds=2)
    bounds = settings.upstream_bounds()
    assert bounds.message_bytes == 5000
    assert bounds.messages_per_second == float("inf")
    assert bounds.send_buffer_bytes > settings.bounds().send_buffer_bytes
    assert bounds.handshake_seconds == 2
