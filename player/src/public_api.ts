import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import type { State } from './state';
import type { StreamStats } from './stats';

/** What scripts and tests find on `window.pixelfleet`. */
export interface PublicApi {
  /** Epic's object: `emitUIInteraction`, `addResponseEventListener`, statistics events, settings. */
  readonly stream: PixelStreaming;
  /** Where the page is: `state.phase` is "connecting", "queued", "starting", "playing", and so on. */
  readonly state: State;
  /** What was measured last while a stream plays. */
  readonly figures: StreamStats | undefined;
  /** Does what the overlay's button does. */
  retry(): void;
}

declare global {
  interface Window {
    /** Absent in a browser that cannot play. */
    pixelfleet?: PublicApi;
  }
}
