/** How a websocket is opened: the query parameters that our servers read, and that other servers ignore. */
export interface Dial {
  /** The token of the session to return to; `1` for a new session. */
  readonly resume: string;
  /** The number of messages that were received in the session so far, to go on with it. */
  readonly received?: number;
  /** Whether to return with a new negotiation. */
  readonly fresh?: boolean;
  /** Whether the server subscribes the page on its arrival, if there is one streamer for it: saves two round trips. */
  readonly subscribe?: boolean;
}

/** A page without a session, which can return to the one that it is given. */
export const NEW_SESSION: Dial = { resume: '1' };

/**
 * The URL to open.
 *
 * @param url - the URL of the server, ws or wss, with the query of the page
 */
export function dialUrl(url: string, { resume, received, fresh = false, subscribe = false }: Dial): string {
  const dialled = new URL(url);
  const query = dialled.searchParams;
  query.set('resume', resume);
  if (received !== undefined) {
    query.set('received', String(received));
  }
  if (fresh) {
    query.set('fresh', '1');
  }
  if (subscribe) {
    query.set('subscribe', '1');
  }
  return dialled.href;
}
