import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { describe, expect, it, vi, type Mock } from 'vitest';
import { watchNegotiation } from '../src/connection/negotiation';

const OFFER = 'v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\n';
const ACCEPTED = 'v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n';
const REJECTED = 'v=0\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\na=inactive\r\n';

type Listener = (argument: unknown) => void;

interface Fixture {
  controller: { startSession: (config: unknown) => void };
  observer: { onNoCodec: Mock; onConfigRefused: Mock };
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
  const observer = { onNoCodec: vi.fn(), onConfigRefused: vi.fn() };
  const stream = { addEventListener: add, signallingProtocol: { on: add }, webRtcController: controller };
  watchNegotiation(stream as unknown as PixelStreaming, observer);
  const sdp = (name: string, text: string): void => listeners.get(name)?.({ data: { sdp: { sdp: text } } });
  return { controller, observer, listeners, sdp };
}

describe('watchNegotiation', () => {
  it('reports the codecs when this browser rejects the offered video', () => {
    const { observer, sdp } = setUp();
    sdp('webRtcSdpOffer', OFFER);
    sdp('webRtcSdpAnswer', ACCEPTED);
    expect(observer.onNoCodec).not.toHaveBeenCalled();
    sdp('webRtcSdpAnswer', REJECTED);
    expect(observer.onNoCodec).toHaveBeenCalledExactlyOnceWith(['H264']);
  });

  it("reports them when the streamer's answer rejects the video", () => {
    const { observer, listeners, sdp } = setUp();
    sdp('webRtcSdpOffer', OFFER);
    listeners.get('answer')?.({ type: 'answer' });
    expect(observer.onNoCodec).not.toHaveBeenCalled();
    listeners.get('answer')?.({ type: 'answer', sdp: REJECTED });
    expect(observer.onNoCodec).toHaveBeenCalledExactlyOnceWith(['H264']);
  });

  it('catches the error of a configuration that the browser refuses', () => {
    const start = vi.fn((config: unknown) => {
      if (config !== 'good') {
        throw new SyntaxError('invalid port');
      }
    });
    const { controller, observer } = setUp(start);
    controller.startSession('good');
    expect(observer.onConfigRefused).not.toHaveBeenCalled();
    controller.startSession('bad');
    expect(observer.onConfigRefused).toHaveBeenCalledExactlyOnceWith('invalid port');
    expect(start).toHaveBeenCalledTimes(2);
  });
});
