import { NEW_SESSION, type Dial } from './dial';
import { PLAYING_INTERVAL, WAITING_INTERVAL } from './heartbeat';
import type { SessionMessage } from './messages';

/** How long a session is kept, in milliseconds, as long as its server has not reported its own setting. */
const DEFAULT_WINDOW = 30_000;

/** The token of the session that the page belongs to, or of its place in the queue. */
export class Membership {
  /** Undefined while the page belongs to none. */
  token: string | undefined;
  /** How long the server keeps it without a connection, in milliseconds. */
  window = DEFAULT_WINDOW;
  #isSession = false;
  /** Whether the token came over this connection, and not over that of an earlier page or negotiation. */
  #hasJoined = false;

  /** Whether it is a session, and not a place in the queue. */
  get isSession(): boolean {
    return this.token !== undefined && this.#isSession;
  }

  /** How often the server is asked whether it is there, in milliseconds. */
  get heartbeatInterval(): number {
    return this.isSession ? PLAYING_INTERVAL : WAITING_INTERVAL;
  }

  /** A connection of the library begins; `dialled` is how its websocket was opened, if that was done already. */
  begin(dialled: Dial | undefined): void {
    this.#hasJoined = false;
    if (dialled !== undefined && dialled.resume !== NEW_SESSION.resume) {
      this.token = dialled.resume;
      this.#isSession = dialled.fresh === true;
    }
  }

  /** A server or matchmaker has sent a token. */
  join(token: string, { window = DEFAULT_WINDOW, isServers }: SessionMessage): void {
    this.token = token;
    this.window = window;
    this.#isSession = isServers;
    this.#hasJoined = true;
  }

  forget(): void {
    this.token = undefined;
    this.#isSession = false;
  }

  /**
   * How to open the next websocket.
   *
   * @param returns - whether the library stays connected
   * @param received - the number of messages that it has received
   */
  nextDial(returns: boolean, received: number): Dial {
    if (this.token === undefined) {
      return NEW_SESSION;
    }
    const session = returns && this.#hasJoined ? { received } : { fresh: true };
    return { resume: this.token, ...(this.#isSession && session) };
  }
}
