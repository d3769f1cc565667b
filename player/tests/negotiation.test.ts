import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { describe, expect, it, vi, type Mock } from 'vitest';
import { watchNegotiation } from '../src/connection/negotiation';

const OFFER = 'v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\n';
const ACCEPTED = 'v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n';
const REJECTED = 'v=0\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\na=inactive\r\n';

const NO_H264 = {
  cause: 'codec',
  details: { code: 4207, codec: 'H264' },
  reason: 'no common video codec: H264',
  report: { failure: 'no_codec', codec: 'H264' },
};

type Listener = (argument: unknown) => void;

interface Fixture {
  controller: { startSession: (config: unknown) => void };
  onFailure: Mock;
  listeners: ReadonlyMap<string, Listener>;
  sdp: (event: string, text: string) => void;
}

/** The parts of the library that are used: events, messages, and the method that starts a session. */
function setUp(startSession: (config: unknown) => void = () => undefined): Fixture {
  const listeners = new Map<string, Listener>();
  const add = (name: string, listener: Listener): void => {
    listeners.set(name, listener);
  };
  const controller = { startSession };
  const onFailure = vi.fn();
  const stream = { addEventListener: add, signallingProtocol: { on: add }, webRtcController: controller };
  watchNegotiation(stream as unknown as PixelStreaming, onFailure);
  const sdp = (name: string, text: string): void => listeners.get(name)?.({ data: { sdp: { sdp: text } } });
  return { controller, onFailure, listeners, sdp };
}

describe('watchNegotiation', () => {
  it('reports the codecs when this browser rejects the offered video', () => {
    const { onFailure, sdp } = setUp();
    sdp('webRtcSdpOffer', OFFER);
    sdp('webRtcSdpAnswer', ACCEPTED);
    expect(onFailure).not.toHaveBeenCalled();
    sdp('webRtcSdpAnswer', REJECTED);
    expect(onFailure).toHaveBeenCalledExactlyOnceWith(NO_H264);
  });

  it("reports them when the streamer's answer rejects the video", () => {
    const { onFailure, listeners, sdp } = setUp();
    sdp('webRtcSdpOffer', OFFER);
    listeners.get('answer')?.({ type: 'answer' });
    expect(onFailure).not.toHaveBeenCalled();
    listeners.get('answer')?.({ type: 'answer', sdp: REJECTED });
    expect(onFailure).toHaveBeenCalledExactlyOnceWith(NO_H264);
  });

  it('catches the error of a configuration that the browser refuses', () => {
    const start = vi.fn((config: unknown) => {
      if (config !== 'good') {
        throw new SyntaxError('invalid port');
      }
    });
    const { controller, onFailure } = setUp(start);
    controller.startSession('good');
    expect(onFailure).not.toHaveBeenCalled();
    controller.startSession('bad');
    expect(onFailure).toHaveBeenCalledExactlyOnceWith({
      cause: 'configuration',
      details: { code: 4205, error: 'invalid port' },
      reason: 'the browser refused the configuration: invalid port',
      report: { failure: 'config_refused' },
    });
    expect(start).toHaveBeenCalledTimes(2);
  });
});
