import { authorization } from '../sign_in/access_token';
import type { WaitCause } from '../state';
import { REFUSAL_HEADER, refusalOf, type Refusal } from './refusal';
import { httpUrl } from './url';

/** Tells the server the origin of the page, which browsers send with a websocket and not with this request. */
const ORIGIN_HEADER = 'X-Pixelfleet-Origin';

/** The answer to a plain request for the websocket's URL. */
export interface ProbedRefusal {
  readonly refusal: Refusal;
  readonly status: number;
}

/**
 * Finds out why a websocket upgrade failed. Browsers hide the HTTP status of a refused upgrade; a plain request to the
 * same URL gets the same status.
 */
export class RefusalProbe {
  readonly #url: () => string;
  #opened = false;
  /** The last cause that may be a moment of a restart, and how often in a row it was found. */
  #doubtful: WaitCause | undefined;
  #times = 0;

  /** @param url - returns the URL of the websocket that was refused, ws or wss */
  constructor(url: () => string) {
    this.#url = url;
  }

  /** Whether plain requests arrive and upgrades do not; nothing more is to be found out until a websocket opens. */
  get isUpgradeBlocked(): boolean {
    return this.#doubtful === 'upgrade' && this.#times >= 2;
  }

  /** A websocket was opened. */
  opened(): void {
    this.#opened = true;
    this.#count(undefined);
  }

  /** A websocket was closed; returns whether it had been opened. */
  closed(): boolean {
    const opened = this.#opened;
    this.#opened = false;
    return opened;
  }

  /**
   * Asks the server, after an upgrade failed.
   *
   * While a server restarts, its proxy answers for a moment, and the server may start between the upgrade and this
   * request. So these two causes are believed only when they are found twice in a row.
   *
   * @returns undefined when the server cannot be reached, gives no reason, or is not the page's own
   */
  async ask(): Promise<ProbedRefusal | undefined> {
    const { origin, href } = new URL(httpUrl(this.#url()));
    if (origin !== location.origin) {
      return undefined;
    }
    try {
      const own = { [ORIGIN_HEADER]: location.origin, ...authorization() };
      const { status, headers } = await fetch(href, { method: 'HEAD', cache: 'no-store', headers: own });
      const refusal = refusalOf(status, headers.get(REFUSAL_HEADER) ?? undefined);
      const wait = refusal !== undefined && 'wait' in refusal ? refusal.wait : undefined;
      this.#count(wait === 'upgrade' || wait === 'gateway' ? wait : undefined);
      return refusal === undefined || this.#times === 1 ? undefined : { refusal, status };
    } catch {
      this.#count(undefined); // the server is unreachable
      return undefined;
    }
  }

  #count(doubtful: WaitCause | undefined): void {
    this.#times = doubtful === undefined ? 0 : doubtful === this.#doubtful ? this.#times + 1 : 1;
    this.#doubtful = doubtful;
  }
}
