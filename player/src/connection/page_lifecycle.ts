import { UNENDING } from '../unending';

/** A page that the browser may keep in its back/forward cache. */
export interface CachedPage {
  /** Leaves the server; returns false if the page was not connected, and is not about to connect. */
  leave(): boolean;
  /** Connects to the server again. */
  join(): void;
}

/**
 * Makes a page leave its server while the browser keeps it in its back/forward cache, and join again when it is shown.
 *
 * Chromium answers a server's pings for a page in the cache, whose scripts do not run. A page that does not close its
 * websocket therefore keeps its place in the queue, and may be given a streamer although nobody is there. A page that is
 * not kept needs nothing: the browser closes its websocket.
 *
 * @param signal - ends the watch
 */
export function watchPageCache(page: CachedPage, signal = UNENDING): void {
  let hasLeft = false;
  const onHide = ({ persisted }: PageTransitionEvent): void => {
    if (persisted) {
      hasLeft = page.leave();
    }
  };
  const onShow = ({ persisted }: PageTransitionEvent): void => {
    if (persisted && hasLeft) {
      hasLeft = false;
      page.join();
    }
  };
  window.addEventListener('pagehide', onHide, { signal });
  window.addEventListener('pageshow', onShow, { signal });
}
