"""The sound: its packets, and its pace by the clock."""

import asyncio

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from tests.parts import PATIENCE_SECONDS
from teststreamer.sound import PACKET_SAMPLES, PACKETS_PER_SECOND, SAMPLE_RATE, Sound, packets


class Clock:
    """A clock that each packet moves to the time that the track waits for."""

    def __init__(self, now: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = now
        monkeypatch.setattr(asyncio, "sleep", self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def decoded(parts: tuple[bytes, ...]) -> NDArray[np.int16]:
    decoder = av.AudioCodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout, decoder.format = SAMPLE_RATE, "mono", "s16"
    frames = [frame for part in parts for frame in decoder.decode(av.Packet(part))]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])


def loudness(samples: NDArray[np.int16]) -> float:
    """Return the effective amplitude, 0 to 1."""
    return float(np.sqrt(np.mean((samples / 32768.0) ** 2)))


def test_a_second_is_a_pulse_that_fades() -> None:
    assert len(packets()) == PACKETS_PER_SECOND
    samples = decoded(packets() * 2)[SAMPLE_RATE:]
    begin, middle, end = samples[: SAMPLE_RATE // 5], samples[SAMPLE_RATE // 2 :][: SAMPLE_RATE // 5], samples[-9600:]
    assert 0.02 < loudness(begin) < 0.2
    assert loudness(begin) > 5 * loudness(middle) > 5 * loudness(end)
    spectrum = np.abs(np.fft.rfft(samples.astype(float)))
    assert abs(int(spectrum.argmax()) * SAMPLE_RATE / len(samples) - 196) < 5


def test_the_sound_repeats_without_a_crack() -> None:
    samples = decoded(packets() * 3).astype(float)
    assert np.abs(np.diff(samples[SAMPLE_RATE - 1000 : SAMPLE_RATE + 1000])).max() < 1500


async def test_each_second_of_the_clock_begins_with_the_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(1_000_000.5, monkeypatch)
    sound = Sound(clock)
    got = [await sound.recv() for _ in range(PACKETS_PER_SECOND)]
    half = PACKETS_PER_SECOND // 2
    assert tuple(map(bytes, got)) == packets()[half:] + packets()[:half]
    assert [packet.pts for packet in got] == [(number + 1) * PACKET_SAMPLES for number in range(PACKETS_PER_SECOND)]
    assert clock.now == pytest.approx(1_000_001.5, abs=0.03)


async def test_a_late_track_skips_to_the_present(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(1_000_000.0, monkeypatch)
    sound = Sound(clock)
    first = await sound.recv()
    clock.now += 3.2
    late = await sound.recv()
    assert bytes(late) == packets()[10]
    assert (late.pts or 0) - (first.pts or 0) == int(3.2 * SAMPLE_RATE)


async def test_a_clock_that_is_set_back_does_not_stop_the_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(1_000_000.0, monkeypatch)
    sound = Sound(clock)
    first = await sound.recv()
    clock.now -= 3600
    again = await sound.recv()
    assert (again.pts or 0) - (first.pts or 0) == PACKET_SAMPLES
    assert clock.now < 1_000_000 - 3599


async def test_a_paused_track_sends_nothing_and_a_stopped_one_ends() -> None:
    sound = Sound()
    sound.playing = False
    waiting = asyncio.ensure_future(sound.recv())
    done, _ = await asyncio.wait({waiting}, timeout=0.2)
    assert not done
    sound.playing = True
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert bytes(await waiting) in packets()
    sound.stop()
    with pytest.raises(MediaStreamError):
        await sound.recv()
