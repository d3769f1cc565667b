import { Flags, NumericParameters, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isQuality, Media } from '../src/core/media';

function setUp(videoWidth = 1280): { media: Media; calls: unknown[][]; video: { muted: boolean; srcObject: object | null } } {
  const calls: unknown[][] = [];
  const record = (name: string) => (...args: unknown[]): void => void calls.push([name, ...args]);
  const video = { muted: true, srcObject: {}, videoWidth, videoHeight: 720 };
  const stream = {
    config: {
      getNumericSettingValue: () => 50_000,
      setNumericSetting: record('number'),
      setFlagEnabled: record('flag'),
    },
    play: record('play'),
    webRtcController: {
      videoPlayer: { getVideoElement: () => video },
      streamController: { audioElement: { muted: true } },
    },
  };
  return { media: new Media(stream as unknown as PixelStreaming), calls, video };
}

describe('Media', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('unmutes a stream that plays, and keeps the choice for the next one', () => {
    const { media, calls } = setUp();
    media.mute(false);
    expect(media.isMuted).toBe(false);
    expect(calls).toEqual([['flag', Flags.StartVideoMuted, false], ['play']]);
  });

  it('plays nothing without a stream', () => {
    const { media, calls, video } = setUp();
    video.srcObject = null;
    media.mute(false);
    media.mute(true);
    expect(calls.filter(([name]) => name === 'play')).toEqual([]);
    expect(media.isMuted).toBe(true);
  });

  it('limits the bitrate, and returns to that of the beginning', () => {
    const { media, calls } = setUp();
    media.setQuality('low');
    media.setQuality('auto');
    const name = NumericParameters.WebRTCMaxBitrate;
    expect(calls).toEqual([['number', name, 2_000], ['number', name, 50_000]]);
    expect(['auto', 'high', 'best', 'toString', 1].filter(isQuality)).toEqual(['auto', 'high']);
  });

  it('takes a screenshot in the resolution of the stream, and none without a picture', async () => {
    const image = new Blob(['png']);
    const canvas = {
      width: 0,
      height: 0,
      getContext: () => ({ drawImage: vi.fn() }),
      toBlob: (done: (blob: Blob | null) => void): void => {
        done(canvas.width === 1280 ? image : null);
      },
    };
    vi.stubGlobal('document', { createElement: () => canvas });
    expect(await setUp().media.screenshot()).toBe(image);
    expect([canvas.width, canvas.height]).toEqual([1280, 720]);
    await expect(setUp(0).media.screenshot()).rejects.toThrow('there is no picture');
    await expect(setUp(640).media.screenshot()).rejects.toThrow('there is no picture');
  });
});
