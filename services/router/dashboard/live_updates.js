/** The stream of fleet events (server-sent events). */
import { ApiError, request } from './api.js';

/** Delay of the next attempt after a refused connection, in milliseconds. */
const RETRY_INTERVAL = 2_000;

/**
 * @typedef {{
 *   onTotals: (event: import('./fleet.js').TotalsEvent) => void,
 *   onStreamers: (event: import('./fleet.js').StreamersEvent) => void,
 *   onUnavailable: () => void,
 *   onLost: (accessDenied: boolean) => void,
 * }} Handlers `onUnavailable`: the fleet store is unreachable; `onLost`: there is no connection, a new attempt follows
 */

/** Connects to the event stream, and reconnects for as long as the page is open. */
export function connect(/** @type {Handlers} */ handlers) {
  const events = new EventSource('api/v1/events');
  events.addEventListener('totals', (event) => {
    handlers.onTotals(/** @type {import('./fleet.js').TotalsEvent} */ (parse(event)));
  });
  events.addEventListener('streamers', (event) => {
    handlers.onStreamers(/** @type {import('./fleet.js').StreamersEvent} */ (parse(event)));
  });
  events.addEventListener('unavailable', () => {
    handlers.onUnavailable();
  });
  events.addEventListener('error', () => {
    if (events.readyState !== EventSource.CLOSED) {
      handlers.onLost(false); // the browser reconnects
      return;
    }
    // Browsers do not reconnect after an error status.
    setTimeout(connect, RETRY_INTERVAL, handlers);
    void isAccessDenied().then(handlers.onLost);
  });
}

/** Whether access is denied; browsers hide the status of an event stream, so this sends another request. */
async function isAccessDenied() {
  try {
    await request('history');
    return false;
  } catch (error) {
    return error instanceof ApiError && error.isAccessDenied;
  }
}

/** @returns {unknown} */
function parse(/** @type {MessageEvent} */ event) {
  return JSON.parse(String(event.data));
}
