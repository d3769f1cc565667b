import type { BaseMessage, PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { rejectedCodecs } from './video_codecs';

/** Receives the outcomes of a negotiation that lead to no video. */
export interface NegotiationObserver {
  /** Browser and streamer have no video codec in common; `codecs` are the offered ones. */
  onNoCodec(codecs: readonly string[]): void;
  /** The browser refused the server's configuration of the peer connection, for this reason. */
  onConfigRefused(reason: string): void;
}

/** Detects negotiations that lead to no video: the library waits for ever in both cases. */
export function watchNegotiation(stream: PixelStreaming, observer: NegotiationObserver): void {
  let offer = '';
  const check = (answer: unknown): void => {
    const codecs = typeof answer === 'string' ? rejectedCodecs(offer, answer) : undefined;
    if (codecs !== undefined) {
      observer.onNoCodec(codecs);
    }
  };
  stream.addEventListener('webRtcSdpOffer', ({ data }) => {
    offer = data.sdp.sdp ?? '';
  });
  stream.addEventListener('webRtcSdpAnswer', ({ data }) => {
    check(data.sdp.sdp);
  });
  // The streamer's answer, after an offer of this page; the library has no event for it.
  stream.signallingProtocol.on('answer', (message: BaseMessage & { readonly sdp?: unknown }) => {
    check(message.sdp);
  });
  guardConfig(stream, observer);
}

/**
 * Catches the error that the browser's constructor throws for a configuration that it refuses. The library calls the
 * method from a listener and catches nothing, so the method is replaced on the instance.
 */
function guardConfig({ webRtcController: controller }: PixelStreaming, observer: NegotiationObserver): void {
  const startSession = controller.startSession.bind(controller);
  controller.startSession = (config): void => {
    try {
      startSession(config);
    } catch (error) {
      observer.onConfigRefused(error instanceof Error ? error.message : String(error));
    }
  };
}
