import type { PageSettings } from '../page/page_settings';
import { Bridge, type PlayerApi } from './bridge';

/**
 * Connects the bridge to the embedding page, if `page.json` lists its origin.
 *
 * The origin is taken from the browser where it exposes it, and otherwise from the first message. Nothing is ever
 * posted to an origin that is not listed.
 */
export class ParentWindow {
  readonly #settings: PageSettings;
  readonly #player: PlayerApi;
  #origin: string | undefined;
  #bridge: Bridge | undefined;

  /** Listens for messages only if the page is embedded and at least one origin is listed. */
  constructor(settings: PageSettings, player: PlayerApi) {
    this.#settings = settings;
    this.#player = player;
    if (window.parent === window || settings.parents.length === 0) {
      return;
    }
    window.addEventListener('message', (event) => {
      if (event.source === window.parent && this.#accept(event.origin)) {
        this.#bridge?.receive(event.data);
      }
    });
    this.#accept(embeddingOrigin());
  }

  /** Undefined until the origin is known and allowed. */
  get bridge(): Bridge | undefined {
    return this.#bridge;
  }

  /** Returns whether `origin` is allowed, and creates the bridge to it if it is. */
  #accept(origin: string | undefined): boolean {
    if (origin === undefined || !this.#settings.parents.includes(origin)) {
      return false;
    }
    if (this.#origin !== origin) {
      // The first origin may come from a referrer other than the embedding page; that of a message is always right.
      this.#origin = origin;
      this.#bridge = new Bridge(this.#settings, this.#player, (message) => {
        window.parent.postMessage(message, origin);
      });
    }
    return true;
  }
}

/** The origin of the embedding page, if the browser exposes it. */
function embeddingOrigin(): string | undefined {
  // Firefox has no ancestorOrigins. The referrer of a framed page is its parent at the first load.
  const ancestors = (window.location as Partial<Location>).ancestorOrigins;
  if (ancestors !== undefined) {
    return ancestors[0];
  }
  return URL.canParse(document.referrer) ? new URL(document.referrer).origin : undefined;
}
