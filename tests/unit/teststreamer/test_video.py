"""The broadcaster and its feeds."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import cast

import av
import pytest
from aiortc.mediastreams import MediaStreamError

from tests.parts import PATIENCE_SECONDS
from teststreamer.encoder import CLOCK_RATE, Codec, Packet
from teststreamer.picture import Scene
from teststreamer.settings import Settings
from teststreamer.stage import Stage
from teststreamer.video import FEED_PACKETS, KEYFRAME_SECONDS, Broadcaster, Feed

SETTINGS = Settings(width=640, height=360, fps=60)


def scene(frame: int) -> Scene:
    return Stage().scene(frame=frame, streamer_id="cam", players=1)


@pytest.fixture
async def broadcaster() -> AsyncIterator[Broadcaster]:
    made = Broadcaster(SETTINGS, scene)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.run())
        yield made
        running.cancel()
    made.close()


def watching(broadcaster: Broadcaster, codec: Codec = "h264") -> Feed:
    feed = Feed(broadcaster)
    feed.codec = codec
    return feed


async def take(feed: Feed, count: int = 1) -> list[Packet]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [await feed.recv() for _ in range(count)]


async def test_nothing_is_drawn_before_someone_watches(broadcaster: Broadcaster) -> None:
    watching(broadcaster)
    await asyncio.sleep(0)
    assert broadcaster.frames == 0


async def test_a_feed_starts_with_a_keyframe_and_goes_forward_in_time(broadcaster: Broadcaster) -> None:
    packets = await take(watching(broadcaster), 10)
    assert [packet.is_keyframe for packet in packets] == [True] + 9 * [False]
    times = [packet.pts or 0 for packet in packets]
    assert times == sorted(set(times))


async def test_all_feeds_get_the_same_packets(broadcaster: Broadcaster) -> None:
    first, second = watching(broadcaster), watching(broadcaster)
    broadcaster.join(first)
    broadcaster.join(second)
    mine, yours = await take(first, 5), await take(second, 5)
    assert all(my is your for my, your in zip(mine, yours, strict=True))


async def test_a_feed_that_joins_later_starts_with_a_keyframe(broadcaster: Broadcaster) -> None:
    first = watching(broadcaster)
    await take(first, 3)
    (packet,) = await take(watching(broadcaster))
    assert packet.is_keyframe


async def test_each_codec_is_encoded_once(broadcaster: Broadcaster) -> None:
    feeds = [watching(broadcaster, "h264"), watching(broadcaster, "vp8"), watching(broadcaster, "vp8")]
    for feed in feeds:
        broadcaster.join(feed)
    h264, vp8, other = [(await take(feed))[0] for feed in feeds]
    assert bytes(h264)[:3] == b"\x00\x00\x00"
    assert bytes(vp8) != bytes(h264)
    assert vp8 is other


async def test_keyframes_that_are_asked_for_come_but_not_too_often(broadcaster: Broadcaster) -> None:
    feed = watching(broadcaster)
    await take(feed)
    times: list[int] = []
    while len(times) < 3:
        broadcaster.request_keyframe(feed)
        (packet,) = await take(feed)
        if packet.is_keyframe:
            times.append(packet.pts or 0)
    for earlier, later in itertools.pairwise(times):
        assert later - earlier >= 0.9 * KEYFRAME_SECONDS * CLOCK_RATE


async def test_a_feed_can_pause(broadcaster: Broadcaster) -> None:
    feed = watching(broadcaster)
    await take(feed)
    broadcaster.set_playing(feed, False)
    assert not broadcaster._watched.is_set()
    broadcaster.set_playing(feed, True)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await feed.recv()).is_keyframe:
            pass


async def test_a_feed_that_is_stopped_ends(broadcaster: Broadcaster) -> None:
    feed = watching(broadcaster)
    await take(feed)
    feed.stop()
    assert not broadcaster._watched.is_set()
    with pytest.raises(MediaStreamError):
        await feed.recv()


async def test_a_feed_that_falls_behind_skips_to_a_keyframe() -> None:
    feed = watching(Broadcaster(SETTINGS, scene))
    keyframe: Packet = cast("Packet", av.Packet(b"key"))
    other: Packet = cast("Packet", av.Packet(b"other"))
    keyframe.is_keyframe = True
    assert feed.push(other)
    assert feed.waits_for_keyframe
    assert all(feed.push(keyframe) for _ in range(FEED_PACKETS))
    assert not feed.push(other)
    assert feed.packets_dropped == FEED_PACKETS + 1
    assert feed.push(other)
    assert feed.waits_for_keyframe
    assert feed.push(keyframe)
    assert not feed.waits_for_keyframe


@pytest.mark.parametrize(("wanted", "got"), [(1, 500_000), (1_000_000, 1_000_000), (10**9, 3_000_000)])
async def test_the_bitrate_stays_within_bounds(wanted: int, got: int) -> None:
    broadcaster = Broadcaster(SETTINGS, scene)
    broadcaster.aim(wanted)
    assert broadcaster._bitrate == got
    broadcaster.close()
