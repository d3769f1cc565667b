"""The encoders."""

import av
import numpy as np
import pytest

from teststreamer.encoder import CLOCK_RATE, CODECS, TIME_BASE, Codec, Packet, VideoEncoder

SIZE = (640, 360)
FPS = 30
NOISE = np.full((SIZE[1] * 3 // 2, SIZE[0]), 128, dtype=np.uint8)
NOISE[:40] = np.random.default_rng(1).integers(90, 160, (40, SIZE[0]), dtype=np.uint8)


def frame(number: int) -> av.VideoFrame:
    """Return a frame with a noisy bar in it that moves."""
    made = av.VideoFrame.from_ndarray(np.roll(NOISE, 31 * number, axis=1), format="yuv420p")
    made.pts, made.time_base = number * CLOCK_RATE // FPS, TIME_BASE
    return made


def opened(codec: Codec, bitrate: int = 1_000_000) -> VideoEncoder:
    return VideoEncoder(codec, *SIZE, fps=FPS, bitrate=bitrate, max_bitrate=4_000_000)


def size_of(packets: list[Packet]) -> int:
    return sum(packet.size for packet in packets)


@pytest.mark.parametrize("codec", CODECS)
def test_each_frame_is_one_packet_at_once_and_can_be_decoded(codec: Codec) -> None:
    encoder = opened(codec)
    decoder = av.VideoCodecContext.create("h264" if codec == "h264" else "libvpx", "r")
    for number in range(5):
        (packet,) = encoder.encode(frame(number), keyframe=False)
        assert packet.pts == number * CLOCK_RATE // FPS
        assert packet.time_base == TIME_BASE
        assert packet.is_keyframe == (number == 0)
        for decoded in decoder.decode(packet):
            assert (decoded.width, decoded.height) == SIZE


@pytest.mark.parametrize("codec", CODECS)
def test_a_keyframe_comes_when_it_is_asked_for(codec: Codec) -> None:
    encoder = opened(codec)
    keyframes = [encoder.encode(frame(number), keyframe=number == 3)[0].is_keyframe for number in range(6)]
    assert keyframes == [True, False, False, True, False, False]


@pytest.mark.parametrize("codec", CODECS)
def test_the_bitrate_can_be_changed_while_it_runs(codec: Codec) -> None:
    encoder = opened(codec, bitrate=3_000_000)
    before = [size_of(encoder.encode(frame(number), keyframe=False)) for number in range(60)]
    encoder.aim(300_000)
    after = [size_of(encoder.encode(frame(number), keyframe=False)) for number in range(60, 240)]
    assert sum(after[-30:]) < sum(before[-30:]) / 2


def test_a_change_of_the_bitrate_costs_h264_no_keyframe() -> None:
    encoder = opened("h264")
    encoder.encode(frame(0), keyframe=False)
    encoder.aim(200_000)
    assert not encoder.encode(frame(1), keyframe=False)[0].is_keyframe


def test_a_small_change_of_the_bitrate_costs_vp8_no_keyframe() -> None:
    encoder = opened("vp8")
    encoder.encode(frame(0), keyframe=False)
    encoder.aim(1_100_000)
    assert not encoder.encode(frame(1), keyframe=False)[0].is_keyframe


@pytest.mark.parametrize("codec", CODECS)
def test_the_quantiser_is_told(codec: Codec) -> None:
    encoder = opened(codec, bitrate=300_000)
    for number in range(60):
        encoder.encode(frame(number), keyframe=False)
    assert 18 < encoder.average_qp < 64


def test_browsers_can_decode_the_profile_that_was_offered() -> None:
    (packet,) = opened("h264").encode(frame(0), keyframe=True)
    data = bytes(packet)
    parameters = data.index(b"\x00\x00\x01\x67") + 4
    assert data[parameters] == 66, "the baseline profile"
    assert data[parameters + 1] & 0x40, "constrained"


@pytest.mark.parametrize("codec", CODECS)
def test_a_frame_can_be_drawn_over_once_it_is_encoded(codec: Codec) -> None:
    """Draw every frame in the same memory, as the streamer does."""
    encoder, apart = opened(codec), opened(codec)
    reused = av.VideoFrame(*SIZE, "yuv420p")
    for number in range(5):
        original = frame(number)
        for plane, source in zip(reused.planes, original.planes, strict=True):
            plane.update(bytes(source))
        reused.pts, reused.time_base = original.pts, original.time_base
        (packet,) = encoder.encode(reused, keyframe=False)
        (expected,) = apart.encode(original, keyframe=False)
        for plane in reused.planes:
            plane.update(bytes(plane.buffer_size))
        assert bytes(packet) == bytes(expected)
