import { dialUrl, NEW_SESSION, type Dial } from '../resume/dial';
import { claimTab, storedSession } from '../resume/tab_claim';

/** The events of a websocket that are passed on. */
export const SOCKET_EVENTS = ['open', 'message', 'close'] as const;

/** The parameters of a page that sends the offer itself. */
const OFFERS = /[?&](BrowserSendOffer|OfferToReceive)\b/i;

/** A websocket, and how it was opened. */
export interface Dialled {
  readonly socket: WebSocket;
  readonly dial: Dial;
  /** The name that the page has claimed for its tab. */
  readonly tab?: string;
  /** Passes the events that have happened, and then each new one. */
  readonly takeOver: (listener: (event: Event) => void) => void;
}

/**
 * A websocket that is opened while the rest of the page loads. It buffers its events until the library takes it over.
 *
 * The library is large, and would open its own websocket only when `connect` is called. After a reload the websocket
 * returns to the session of the page before.
 */
export class PreconnectedSocket {
  /** The websocket, which is opened at once unless the session of a page before must be claimed first. */
  readonly dialled: Promise<Dialled>;

  /**
   * @param url - the URL of the server, ws or wss, with the query of the page
   * @param protocols - the subprotocols, see sign_in/access_token.ts
   */
  constructor(url: string, protocols: string[] = []) {
    const subscribe = !OFFERS.test(url); // the streamer's offer would cross that of the page
    const stored = storedSession();
    if (stored === undefined) {
      this.dialled = Promise.resolve(open(url, { ...NEW_SESSION, subscribe }, protocols));
      return;
    }
    const { tab, token } = stored;
    this.dialled = claimTab(tab).then((claimed) =>
      claimed
        ? { ...open(url, { resume: token, fresh: true, subscribe }, protocols), tab }
        : open(url, { ...NEW_SESSION, subscribe }, protocols),
    );
  }
}

/** Opens a websocket that buffers its events. */
function open(url: string, dial: Dial, protocols: string[]): Dialled {
  const socket = new WebSocket(dialUrl(url, dial), protocols);
  const events: Event[] = [];
  let pass = (event: Event): void => {
    events.push(event);
  };
  for (const type of SOCKET_EVENTS) {
    socket.addEventListener(type, (event) => {
      pass(event);
    });
  }
  return {
    socket,
    dial,
    takeOver(listener): void {
      events.forEach(listener);
      pass = listener;
    },
  };
}
