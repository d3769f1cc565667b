import type { PageSettings } from '../page/page_settings';
import { Bridge, type PlayerApi } from './bridge';

/**
 * Talks with the page that embeds this one, if its origin is on the operator's list.
 *
 * Its origin is known from the browser where that tells it, and else from its first message. Nothing is ever posted
 * to an origin that is not on the list.
 */
export class ParentWindow {
  readonly #settings: PageSettings;
  readonly #player: PlayerApi;
  #origin: string | undefined;
  #dialogue: Bridge | undefined;

  /** Listens only when the page is embedded and the list has somebody on it. */
  constructor(settings: PageSettings, player: PlayerApi) {
    this.#settings = settings;
    this.#player = player;
    if (window.parent === window || settings.parents.length === 0) {
      return;
    }
    window.addEventListener('message', (event) => {
      if (event.source === window.parent && this.#meet(event.origin)) {
        this.#dialogue?.receive(event.data);
      }
    });
    this.#meet(embedder());
  }

  /** The conversation, once there is one. */
  get dialogue(): Bridge | undefined {
    return this.#dialogue;
  }

  /** Whether `origin` is the embedding page's and may talk; begins the conversation with the first one that may. */
  #meet(origin: string | undefined): boolean {
    if (origin === undefined || !this.#settings.parents.includes(origin)) {
      return false;
    }
    if (this.#origin !== origin) {
      // The first one may have come from a referrer that was not the embedding page's: a message never lies.
      this.#origin = origin;
      this.#dialogue = new Bridge(this.#settings, this.#player, (message) => {
        window.parent.postMessage(message, origin);
      });
    }
    return true;
  }
}

/** The embedding page's origin as far as the browser tells it. */
function embedder(): string | undefined {
  // Firefox has no ancestorOrigins; the referrer of a framed page is its parent at the first load.
  const ancestors = (window.location as Partial<Location>).ancestorOrigins;
  if (ancestors !== undefined) {
    return ancestors[0];
  }
  return URL.canParse(document.referrer) ? new URL(document.referrer).origin : undefined;
}
