"""The sound: a soft low pulse at the beginning of each second of the picture's clock.

The sound repeats every second, so that its packets are encoded once for all players and all seconds. A player then
costs some 5 ms of CPU time per second, for the encryption and the sending of 50 packets; the video costs about 100 ms.
"""

import asyncio
import time
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Final, TypeAlias

import av
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.stream import Stream
from numpy.typing import NDArray

SAMPLE_RATE: Final = 48_000
PACKET_SAMPLES: Final = 960
PACKETS_PER_SECOND: Final = SAMPLE_RATE // PACKET_SAMPLES
TIME_BASE: Final = Fraction(1, SAMPLE_RATE)

PITCH_HERTZ: Final = 196.0
VOLUME: Final = 0.25
"""The highest amplitude as a part of full scale: about -12 dB."""

RISE_SECONDS: Final = 0.02
FALL_PER_SECOND: Final = 7.0
"""The exponent of the decay: a second later the pulse is a thousandth of its beginning."""

BITRATE: Final = 32_000

SoundPacket: TypeAlias = "av.Packet[Stream]"


@cache
def packets() -> tuple[bytes, ...]:
    """Return the Opus packets of one second, of 20 ms each. The first call takes some 20 ms of CPU time."""
    second = _samples()
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = SAMPLE_RATE, "mono", "s16"
    encoder.bit_rate = BITRATE
    encoded: list[bytes] = []
    for number in range(2 * PACKETS_PER_SECOND):
        start = number % PACKETS_PER_SECOND * PACKET_SAMPLES
        frame = av.AudioFrame.from_ndarray(second[None, start : start + PACKET_SAMPLES], "s16", "mono")
        frame.sample_rate, frame.time_base, frame.pts = SAMPLE_RATE, TIME_BASE, number * PACKET_SAMPLES
        encoded += [bytes(packet) for packet in encoder.encode(frame)]
    # The second repetition follows the first one, as it does when the packets are sent over and over.
    return tuple(encoded[PACKETS_PER_SECOND : 2 * PACKETS_PER_SECOND])


def _samples() -> NDArray[np.int16]:
    """Return one second of the sound, in 16-bit samples."""
    at = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    envelope = np.minimum(at / RISE_SECONDS, 1.0) * np.exp(-FALL_PER_SECOND * at)
    tone = np.sin(2 * np.pi * PITCH_HERTZ * at) + 0.3 * np.sin(4 * np.pi * PITCH_HERTZ * at)
    samples: NDArray[np.int16] = (tone / 1.3 * envelope * VOLUME * 32767).astype(np.int16)
    return samples


class Sound(MediaStreamTrack):
    """One player's sound track."""

    kind = "audio"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns Unix time in seconds, as the clock of the picture shows it."""
        super().__init__()
        self.playing = True
        """False while the player has paused the stream."""
        self._clock = clock
        self._slot = 0
        """The number of the latest packet, counted from the beginning of Unix time."""
        self._pts = 0

    async def recv(self) -> SoundPacket:
        """Return the next packet at its time; raise MediaStreamError once the track is stopped."""
        while self.readyState == "live":
            await self._next_slot()
            if self.playing and self.readyState == "live":
                packet: SoundPacket = av.Packet(packets()[self._slot % PACKETS_PER_SECOND])
                packet.pts, packet.time_base = self._pts, TIME_BASE
                return packet
        raise MediaStreamError

    async def _next_slot(self) -> None:
        """Wait for the time of the next packet. Packets that are late by more than their length are skipped."""
        now = self._clock()
        current = int(now * PACKETS_PER_SECOND)
        following = max(self._slot + 1, current)
        if following - current > PACKETS_PER_SECOND:  # the clock was set back
            following = current + 1
        self._pts += PACKET_SAMPLES * (max(1, following - self._slot) if self._slot else 1)
        self._slot = following
        await asyncio.sleep(max(0.0, following / PACKETS_PER_SECOND - now))
