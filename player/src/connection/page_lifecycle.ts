/** Listens to the browser's back/forward cache. */
export interface PageCacheListener {
  /** The browser is about to keep the page with its websocket, while its scripts do not run. */
  onStored(): void;
  /** The page that was kept is shown again. */
  onShown(): void;
}

/**
 * Calls the listener when the user leaves the page and when the page comes back from the back/forward cache.
 *
 * Chromium answers a server's pings for a page in the cache. A page that does not close its websocket therefore keeps
 * its place in the queue, and may be given a streamer although nobody is there. A page that is not kept needs nothing:
 * the browser closes its websocket.
 */
export function watchPageCache(listener: PageCacheListener): void {
  window.addEventListener('pagehide', ({ persisted }) => {
    if (persisted) {
      listener.onStored();
    }
  });
  window.addEventListener('pageshow', ({ persisted }) => {
    if (persisted) {
      listener.onShown();
    }
  });
}
