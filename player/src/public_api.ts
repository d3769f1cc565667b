import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import type { PlayerApi } from './embed/bridge';
import type { State } from './state';
import type { StreamStats } from './stats';

/** The API for scripts and tests on the same page: `window.pixelfleet`. Its names are stable. */
export class PublicApi {
  /**
   * Epic's object: `emitUIInteraction`, `addResponseEventListener`, statistics events, settings. Undefined on a page
   * that does not connect at all.
   */
  readonly stream: PixelStreaming | undefined;
  readonly #player: PlayerApi;

  constructor(stream: PixelStreaming | undefined, player: PlayerApi) {
    this.stream = stream;
    this.#player = player;
  }

  /** The state of the page: `state.phase` is "connecting", "queued", "starting", "playing", and so on. */
  get state(): State {
    return this.#player.state;
  }

  /** The latest statistics while a stream plays. */
  get figures(): StreamStats | undefined {
    return this.#player.stats;
  }

  /** Does the same as the overlay's button. */
  readonly retry = (): void => {
    this.#player.retry();
  };
}

declare global {
  interface Window {
    /** Undefined until the scripts have started. */
    pixelfleet?: PublicApi;
  }
}
