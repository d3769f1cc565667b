import type { BaseMessage, PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { optional } from '../optional';
import type { EndCause, EndDetails } from '../state';
import { NO_CODEC, NO_MEDIA } from './close_codes';
import { cleanText } from './messages';
import { rejectedCodecs } from './video_codecs';

/** A negotiation that can never lead to video. */
export interface NegotiationFailure {
  readonly cause: EndCause;
  readonly details: EndDetails & { readonly code: number };
  /** The reason with which the connection is closed. */
  readonly reason: string;
  /** What the server counts in its metrics. */
  readonly report: object;
}

/** Reports negotiations that can never lead to video. The library notices neither of them, and waits for ever. */
export function watchNegotiation(stream: PixelStreaming, onFailure: (failure: NegotiationFailure) => void): void {
  let offer = '';
  const check = (answer: unknown): void => {
    const codecs = typeof answer === 'string' ? rejectedCodecs(offer, answer) : undefined;
    if (codecs !== undefined) {
      onFailure(noCodec(codecs));
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
  guardConfig(stream, (error) => {
    onFailure(configRefused(error));
  });
}

/**
 * Catches the error that the browser's constructor throws for a configuration that it refuses. The library calls the
 * method from a listener and catches nothing, so the method is replaced on the instance.
 */
function guardConfig({ webRtcController: controller }: PixelStreaming, onError: (error: string) => void): void {
  const startSession = controller.startSession.bind(controller);
  controller.startSession = (config): void => {
    try {
      startSession(config);
    } catch (error) {
      onError(error instanceof Error ? error.message : String(error));
    }
  };
}

/** Browser and streamer have no video codec in common; `codecs` are the offered ones. */
function noCodec(codecs: readonly string[]): NegotiationFailure {
  const codec = codecs.length === 0 ? undefined : codecs.join(', ');
  return {
    cause: 'codec',
    details: { code: NO_CODEC, ...optional('codec', codec) },
    reason: ['no common video codec', ...(codec === undefined ? [] : [codec])].join(': '),
    report: { failure: 'no_codec', ...optional('codec', codecs[0]) },
  };
}

/** The browser refused the server's configuration of the peer connection with this error. */
function configRefused(error: string): NegotiationFailure {
  return {
    cause: 'configuration',
    details: { code: NO_MEDIA, ...optional('error', cleanText(error)) },
    reason: `the browser refused the configuration: ${error}`,
    report: { failure: 'config_refused' },
  };
}
