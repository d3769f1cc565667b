import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { afterEach, describe, expect, it, vi, type Mock } from 'vitest';
import { watchPlayback } from '../src/playback';

class FakeStream {
  readyState: MediaStreamTrackState = 'live';

  getVideoTracks(): { readyState: MediaStreamTrackState }[] {
    return [{ readyState: this.readyState }];
  }
}

interface Fixture {
  video: EventTarget & { ended: boolean; srcObject: FakeStream | null };
  page: EventTarget & { hidden: boolean };
  play: Mock;
  observer: { onBlocked: Mock; onPlaying: Mock; onPaused: Mock; resumes: Mock };
}

function setUp(): Fixture {
  const video = Object.assign(new EventTarget(), { ended: false, srcObject: new FakeStream() });
  vi.stubGlobal('MediaStream', FakeStream);
  const page = Object.assign(new EventTarget(), { hidden: false });
  vi.stubGlobal('document', page);
  const play = vi.fn();
  const observer = { onBlocked: vi.fn(), onPlaying: vi.fn(), onPaused: vi.fn(), resumes: vi.fn(() => true) };
  const stream = {
    addEventListener: vi.fn(),
    play,
    webRtcController: { videoPlayer: { getVideoElement: () => video } },
  };
  watchPlayback(stream as unknown as PixelStreaming, observer);
  return { video, page, play, observer };
}

describe('watchPlayback', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('reports playback and pauses, but not the end of the stream', () => {
    const { video, observer } = setUp();
    video.dispatchEvent(new Event('playing'));
    expect(observer.onPlaying).toHaveBeenCalledTimes(1);
    video.dispatchEvent(new Event('pause'));
    expect(observer.onPaused).toHaveBeenCalledTimes(1);
    video.ended = true;
    video.dispatchEvent(new Event('pause'));
    expect(observer.onPaused).toHaveBeenCalledTimes(1);
  });

  it('does not report the picture that Chromium makes of a track that ended before its first frame', () => {
    const { video, observer } = setUp();
    Object.assign(video, { srcObject: Object.assign(new FakeStream(), { readyState: 'ended' }) });
    video.dispatchEvent(new Event('playing'));
    Object.assign(video, { srcObject: null });
    video.dispatchEvent(new Event('playing'));
    expect(observer.onPlaying).not.toHaveBeenCalled();
  });

  it('plays again when the tab becomes visible, if the session wants it', () => {
    const { page, play, observer } = setUp();
    page.hidden = true;
    page.dispatchEvent(new Event('visibilitychange'));
    expect(play).not.toHaveBeenCalled();
    page.hidden = false;
    page.dispatchEvent(new Event('visibilitychange'));
    expect(play).toHaveBeenCalledTimes(1);
    observer.resumes.mockReturnValue(false);
    page.dispatchEvent(new Event('visibilitychange'));
    expect(play).toHaveBeenCalledTimes(1);
  });
});
