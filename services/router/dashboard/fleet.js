/** What is known of the fleet, from the matchmaker's events. No DOM, no network. */

/** @typedef {{id: string, endpointId: string, serverId: string, app: string, state: string, node: string,
 *   capacity: number | null, taken: number, since: number, failedDials: number, stock: boolean}} Streamer */

/** Why a streamer gets no players, in words; empty where its state says all. */
export function reasonOf(/** @type {Streamer} */ streamer) {
  switch (streamer.state) {
    case 'aside': {
      const times = streamer.failedDials;
      return times === 1 ? 'A dial failed' : `${String(times)} dials failed in a row`;
    }
    case 'draining':
      return 'Takes nobody new; who plays goes on';
    case 'not ready':
      return 'Its application is not connected';
    default:
      return '';
  }
}

const STATES = ['aside', 'not ready', 'draining', 'busy', 'free'];

export class Fleet {
  /** @type {Map<string, Streamer>} */
  streamers = new Map();
  /** @type {{app: string, streamers: number, available: number, aside: number, slots: number | null, used: number,
   *   waiting: number, oldestWaitSeconds: number}[]} */
  apps = [];
  now = 0;
  young = false;
  #sorted = /** @type {Streamer[] | undefined} */ (undefined);

  /** Takes a `streamers` event. */
  applyStreamers(/** @type {{whole: boolean, changed: Streamer[], gone: string[]}} */ told) {
    if (told.whole) {
      this.streamers.clear();
    }
    for (const streamer of told.changed) {
      this.streamers.set(streamer.id, streamer);
    }
    for (const id of told.gone) {
      this.streamers.delete(id);
    }
    this.#sorted = undefined;
  }

  /** Takes a `totals` event. */
  applyTotals(/** @type {{now: number, young: boolean, apps: Fleet['apps']}} */ told) {
    this.now = told.now;
    this.young = told.young;
    this.apps = told.apps;
  }

  /** Streamers by app; within an app those that need a person's eye come first. */
  sorted() {
    this.#sorted ??= [...this.streamers.values()].sort(
      (a, b) =>
        compare(a.app, b.app) || STATES.indexOf(a.state) - STATES.indexOf(b.state) || compare(a.id, b.id),
    );
    return this.#sorted;
  }

  /** The four figures, over all apps. */
  totals() {
    const sum = (/** @type {'used' | 'available' | 'waiting' | 'streamers' | 'aside'} */ name) =>
      this.apps.reduce((total, app) => total + app[name], 0);
    const slots = this.apps.map((app) => app.slots);
    return {
      players: sum('used'),
      slots: slots.includes(null) ? null : slots.reduce((total, each) => (total ?? 0) + (each ?? 0), 0),
      free: sum('available'),
      streamers: sum('streamers'),
      aside: sum('aside'),
      waiting: sum('waiting'),
      wait: Math.max(0, ...this.apps.map((app) => app.oldestWaitSeconds)),
    };
  }
}

function compare(/** @type {string} */ a, /** @type {string} */ b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A wait, to the second below an hour. */
export function formatWait(/** @type {number} */ seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 || whole >= 3600
    ? formatDuration(whole)
    : `${String(Math.floor(whole / 60))} min ${String(whole % 60)} s`;
}

/** A time span in the largest two units that matter: `2 d 4 h`, `3 h 12 min`, `4 min`, `12 s`. */
export function formatDuration(/** @type {number} */ seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days > 0) {
    return `${String(days)} d${hours > 0 ? ` ${String(hours)} h` : ''}`;
  }
  if (hours > 0) {
    return `${String(hours)} h${minutes > 0 ? ` ${String(minutes)} min` : ''}`;
  }
  return minutes > 0 ? `${String(minutes)} min` : `${String(whole)} s`;
}
