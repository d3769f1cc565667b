import type { Dial } from './dial';

/** The peer connection: not connected yet, with a path, or without the path that it had. */
export type Media = 'none' | 'live' | 'lost';

/** What a virtual connection uses: websockets, the library, and the rest of the page. */
export interface Edge {
  /** Opens a websocket in place of any other, whose events are of no more interest. */
  dial(dial: Dial): void;
  /** Closes the websocket with a code; its events are of no more interest. */
  hangUp(code: number | undefined, reason: string): void;
  send(text: string): void;
  /** The server has accepted the websocket: earlier ones need not be kept. */
  settled(): void;
  /** For the library. */
  opened(): void;
  received(text: string): void;
  closed(code: number, reason: string): void;
  /** Stores the token for a reload, or forgets it. */
  remember(token: string | undefined): void;
  /** Whether the page is without the server, and returns to it. */
  awayChanged(isAway: boolean): void;
  /** The server has answered the heartbeat, so the network is there. */
  answered(): void;
  media(): Media;
}
