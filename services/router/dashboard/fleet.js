/** The state of the fleet, from the matchmaker's events. No DOM, no network. */

/**
 * @typedef {{id: string, endpointId: string, serverId: string, app: string, state: string, node: string,
 *   capacity: number | null, taken: number, since: number, failedDials: number, stock: boolean, spectatorInput: boolean}} Streamer
 * @typedef {{app: string, streamers: number, available: number, aside: number, slots: number | null, used: number,
 *   waiting: number, oldestWaitSeconds: number}} AppTotals
 * @typedef {{whole: boolean, changed: Streamer[], gone: string[]}} StreamersEvent
 * @typedef {{now: number, young: boolean, apps: AppTotals[]}} TotalsEvent
 */

/** The states of streamers; those that may need attention come first. "aside" is a streamer in quarantine. */
const STATES = ['aside', 'not ready', 'draining', 'busy', 'free'];

export class Fleet {
  /** @type {Map<string, Streamer>} */
  streamers = new Map();
  /** @type {AppTotals[]} */
  apps = [];
  /** The time of the last event, in seconds on the store's clock. */
  now = 0;
  /** Whether the store has lost its content and is being filled again. */
  warmingUp = false;
  #sorted = /** @type {Streamer[] | undefined} */ (undefined);

  applyStreamers(/** @type {StreamersEvent} */ event) {
    if (event.whole) {
      this.streamers.clear();
    }
    for (const streamer of event.changed) {
      this.streamers.set(streamer.id, streamer);
    }
    for (const id of event.gone) {
      this.streamers.delete(id);
    }
    this.#sorted = undefined;
  }

  applyTotals(/** @type {TotalsEvent} */ event) {
    this.now = event.now;
    this.warmingUp = event.young;
    this.apps = event.apps;
  }

  /** Streamers by app, state and id. */
  sorted() {
    this.#sorted ??= [...this.streamers.values()].sort(
      (a, b) =>
        compare(a.app, b.app) || STATES.indexOf(a.state) - STATES.indexOf(b.state) || compare(a.id, b.id),
    );
    return this.#sorted;
  }

  /** The sums over all apps. `slots` is null if any app has streamers without a limit. */
  totals() {
    const sum = (/** @type {'used' | 'available' | 'waiting' | 'streamers' | 'aside'} */ name) =>
      this.apps.reduce((total, app) => total + app[name], 0);
    const slots = this.apps.map((app) => app.slots);
    return {
      players: sum('used'),
      slots: slots.includes(null) ? null : slots.reduce((total, each) => (total ?? 0) + (each ?? 0), 0),
      free: sum('available'),
      streamers: sum('streamers'),
      quarantined: sum('aside'),
      waiting: sum('waiting'),
      longestWait: Math.max(0, ...this.apps.map((app) => app.oldestWaitSeconds)),
    };
  }
}

function compare(/** @type {string} */ a, /** @type {string} */ b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
