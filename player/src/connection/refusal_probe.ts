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
  readonly #url: string;
  #upgradesLost = 0;
  #opened = false;

  /** @param url - the URL of the websocket, ws or wss */
  constructor(url: string) {
    this.#url = url;
  }

  /** Whether plain requests arrive and upgrades do not; nothing more is to be found out until a websocket opens. */
  get isUpgradeBlocked(): boolean {
    return this.#upgradesLost >= 2;
  }

  /** A websocket was opened. */
  opened(): void {
    this.#opened = true;
    this.#upgradesLost = 0;
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
   * A server that would accept a websocket may have started since the upgrade failed. So this counts as a lost upgrade
   * only when it happens twice in a row.
   *
   * @returns undefined when the server cannot be reached, gives no reason, or is not the page's own
   */
  async ask(): Promise<ProbedRefusal | undefined> {
    const { origin, href } = new URL(httpUrl(this.#url));
    if (origin !== location.origin) {
      return undefined;
    }
    try {
      const own = { [ORIGIN_HEADER]: location.origin };
      const { status, headers } = await fetch(href, { method: 'HEAD', cache: 'no-store', headers: own });
      const refusal = refusalOf(status, headers.get(REFUSAL_HEADER) ?? undefined);
      const upgradeLost = refusal !== undefined && 'wait' in refusal && refusal.wait === 'upgrade';
      this.#upgradesLost = upgradeLost ? this.#upgradesLost + 1 : 0;
      return refusal === undefined || (upgradeLost && !this.isUpgradeBlocked) ? undefined : { refusal, status };
    } catch {
      this.#upgradesLost = 0; // the server is unreachable
      return undefined;
    }
  }
}
