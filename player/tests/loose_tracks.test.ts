import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { afterEach, beforeEach, describe, expect, it, vi, type Mock } from 'vitest';
import { adoptLooseTracks } from '../src/connection/loose_tracks';

class Stream {
  readonly tracks: string[] = [];
  addTrack(track: string): void {
    this.tracks.push(track);
  }
}

class TrackEvent {
  readonly streams: readonly Stream[];
  readonly track: string;
  constructor(_type: string, { track, streams }: { track: string; streams: readonly Stream[] }) {
    this.track = track;
    this.streams = streams;
  }
}

/** Returns the library's handler of one session, and the handler that the peer connection calls. */
function setUp(): { handled: Mock; onTrack: (event: object) => void } {
  const handled = vi.fn();
  const controller = {
    peerConnectionController: {} as { handleOnTrack: (event: object) => void },
    startSession: (): void => {
      controller.peerConnectionController = { handleOnTrack: handled };
    },
  };
  adoptLooseTracks({ webRtcController: controller } as unknown as PixelStreaming);
  controller.startSession();
  return {
    handled,
    onTrack: (event) => {
      controller.peerConnectionController.handleOnTrack(event);
    },
  };
}

describe('adoptLooseTracks', () => {
  beforeEach(() => {
    vi.stubGlobal('MediaStream', Stream);
    vi.stubGlobal('RTCTrackEvent', TrackEvent);
  });

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('leaves a track with a stream as it is', () => {
    const { handled, onTrack } = setUp();
    const event = { track: 'video', streams: [new Stream()] };
    onTrack(event);
    expect(handled).toHaveBeenCalledExactlyOnceWith(event);
  });

  it('puts all tracks without a stream into one', () => {
    const { handled, onTrack } = setUp();
    onTrack({ track: 'audio', streams: [] });
    onTrack({ track: 'video', streams: [] });
    const streams = handled.mock.calls.map(([event]) => (event as TrackEvent).streams);
    expect(streams[0]).toEqual(streams[1]);
    expect(streams[1]?.[0]?.tracks).toEqual(['audio', 'video']);
  });
});
