import { consequence, ELSEWHERE, isUnanswered, MESSAGES_LOST, RETURNING } from './close_rules';
import { NEW_SESSION, type Dial } from './dial';
import type { Edge } from './edge';
import { Heartbeat } from './heartbeat';
import { Membership } from './membership';
import { MessageLine } from './message_line';
import { countIn, parse, ping, pong, sessionMessage, type Message, type SessionMessage } from './messages';
import { FIRST_DIAL_TIMEOUT, Redials, RETURN_TIMEOUT } from './redials';

/**
 * A connection of the library that outlives its websockets. It has no timer and no websocket of its own: its caller
 * passes the events and the time in milliseconds, and calls `tick` at `deadline`.
 *
 * While the page is away, messages of the library are kept, and the library notices nothing. On the return each side
 * receives what it has missed, once and in order.
 */
export class VirtualConnection {
  readonly #edge: Edge;
  readonly #heartbeat = new Heartbeat();
  readonly #redials: Redials;
  readonly #membership = new Membership();
  #line = new MessageLine();
  /** For the library: `joining` until the first websocket is open. */
  #phase: 'closed' | 'joining' | 'open' | 'away' = 'closed';
  /** `returning`: open, and the server has not yet answered with `session`. */
  #socket: 'none' | 'dialling' | 'returning' | 'live' = 'none';
  #dial = NEW_SESSION;
  /** Whether the server has sent `session`; another one may not understand the heartbeat. */
  #isOurs = false;
  /** Whether `config` was received: the negotiation has begun. */
  #isConfigured = false;

  /** @param random - returns numbers in [0, 1), for the jitter of attempts */
  constructor(edge: Edge, random: () => number = Math.random) {
    this.#edge = edge;
    this.#redials = new Redials(random);
  }

  /** Whether the library is connected, or about to be. */
  get isConnected(): boolean {
    return this.#phase !== 'closed';
  }

  /** Whether the session can be continued with a new negotiation. */
  get isResumable(): boolean {
    return this.isConnected && this.#membership.isSession;
  }

  /** The time at which `tick` is to be called; Infinity when nothing is scheduled. */
  get deadline(): number {
    return Math.min(this.#heartbeat.deadline, this.#redials.deadline);
  }

  /**
   * The library connects.
   *
   * @param dialled - how the websocket was opened, if the edge has done that already
   */
  connect(now: number, dialled?: Dial): void {
    this.#line = new MessageLine();
    this.#phase = 'joining';
    this.#isOurs = false;
    this.#isConfigured = false;
    this.#membership.begin(dialled);
    if (dialled === undefined) {
      this.#open(now);
      return;
    }
    this.#dial = dialled;
    this.#socket = 'dialling';
    this.#redials.dialled(FIRST_DIAL_TIMEOUT, now);
  }

  /** The library sends a message. */
  send(text: string): void {
    const message = parse(text) ?? {};
    const type = message['type'];
    if (type === 'ping' && this.#isOurs) {
      this.#edge.received(pong(message)); // the library's own heartbeat would end what the page can resume
      return;
    }
    if (type !== 'ping' && type !== 'pong') {
      this.#line.keep(text);
    }
    if (this.#socket === 'live') {
      this.#edge.send(text);
    }
  }

  /** The library disconnects; with the code RETURNING the session is kept. */
  disconnect(code: number | undefined, reason: string): void {
    if (this.#phase === 'closed') {
      return;
    }
    if (code !== RETURNING) {
      this.#forget();
    }
    this.#finish(code ?? 1005, reason, code);
  }

  /** The websocket is open. */
  opened(now: number): void {
    if (this.#socket !== 'dialling') {
      return;
    }
    if (this.#dial.received !== undefined) {
      this.#socket = 'returning';
      return;
    }
    this.#settle(0, now);
  }

  /** A text message was received. */
  received(text: string, now: number): void {
    if (this.#socket !== 'live' && this.#socket !== 'returning') {
      return;
    }
    this.#heartbeat.heard();
    const message = parse(text) ?? {};
    if (this.#socket === 'returning') {
      this.#onReturn(message, now);
      return;
    }
    this.#redials.end();
    this.#edge.settled();
    switch (message['type']) {
      case 'session':
        this.#onSession(sessionMessage(message), now);
        return;
      case 'ping':
        this.#edge.send(pong(message));
        return;
      case 'pong':
        this.#onPong(message, text);
        return;
      case 'config':
        this.#onConfig();
    }
    this.#line.count();
    this.#edge.received(text);
  }

  /** The websocket was closed, or not opened. */
  closed(code: number, reason: string, now: number): void {
    if (this.#phase === 'closed') {
      return;
    }
    const settled = this.#socket === 'live';
    this.#socket = 'none';
    this.#heartbeat.stop();
    this.#redials.failed();
    const isOwn = code === ELSEWHERE && this.#redials.mayBeOvertaken(now);
    switch (isOwn ? 'return' : consequence(code, settled)) {
      case 'return':
        this.#return(code, reason, now);
        return;
      case 'keep':
        this.#finish(code, reason);
        return;
      case 'gone':
        this.#forget();
        // Nothing was negotiated yet, so the library need not notice that the place or the earlier session is gone.
        if (this.#isConfigured || this.#dial.resume === NEW_SESSION.resume) {
          this.#finish(code, reason);
        } else {
          this.#open(now);
        }
        return;
      case 'end':
        this.#forget();
        this.#finish(code, reason);
    }
  }

  /** Something has happened to the network, or may have: asks the server, or makes the next attempt at once. */
  hurry(now: number): void {
    this.#heartbeat.hurry(now);
    this.#redials.hurry(now);
    this.tick(now);
  }

  /** Does what is due. */
  tick(now: number): void {
    switch (this.#heartbeat.due(now)) {
      case 'ask':
        this.#edge.send(ping(now, this.#membership.isSession ? this.#line.received : undefined));
        break;
      case 'unanswered': // without waiting for the browser, which may never report it
        this.closed(1006, '', now);
        break;
      case undefined:
    }
    switch (this.#redials.due(now)) {
      case 'dial':
        this.#open(now);
        break;
      case 'no-answer':
        this.closed(1006, '', now);
        break;
      case 'give-up':
        this.#forget();
        this.#finish(1006, '');
        break;
      case undefined:
    }
  }

  /** Returns to the session over another websocket, or ends the library's connection where that is no use. */
  #return(code: number, reason: string, now: number): void {
    const media = this.#isConfigured ? this.#edge.media() : 'live';
    if (isUnanswered(code) && media === 'lost') {
      this.#forget(); // neither the server nor the streamer can be reached
    }
    // An interrupted negotiation is repeated: browsers wait for candidates for some seconds only.
    if (this.#phase === 'joining' || this.#membership.token === undefined || media === 'none') {
      this.#finish(code, reason);
      return;
    }
    if (this.#phase === 'open') {
      this.#phase = 'away';
      this.#redials.begin(this.#membership.window, now);
      this.#edge.awayChanged(true);
    }
    this.#redials.schedule(now);
    this.tick(now);
  }

  /** Opens a websocket, to the session if there is one. */
  #open(now: number): void {
    const returns = this.#phase !== 'joining';
    this.#dial = this.#membership.nextDial(returns, this.#line.received);
    this.#socket = 'dialling';
    this.#redials.dialled(returns ? RETURN_TIMEOUT : FIRST_DIAL_TIMEOUT, now);
    this.#edge.dial(this.#dial);
  }

  /** The websocket can be used; the server has the library's first `count` messages. */
  #settle(count: number, now: number): void {
    const missing = this.#line.missingFrom(count);
    if (missing === undefined) {
      this.#finish(MESSAGES_LOST, '');
      return;
    }
    const wasJoining = this.#phase === 'joining';
    this.#socket = 'live';
    this.#phase = 'open';
    this.#redials.opened();
    this.#line.acknowledge(count);
    for (const text of missing) {
      this.#edge.send(text);
    }
    if (this.#isOurs) {
      this.#heartbeat.start(this.#membership.heartbeatInterval, now);
    }
    if (wasJoining) {
      this.#edge.opened();
    } else {
      this.#edge.awayChanged(false);
    }
  }

  /** The first message after a return to a session. */
  #onReturn(message: Message, now: number): void {
    const { resumed, window } = sessionMessage(message);
    if (message['type'] === 'ping' || message['type'] === 'pong') {
      return;
    }
    this.#membership.window = window ?? this.#membership.window;
    // Without an answer to the return, the message belongs to something that the library knows nothing of.
    this.#settle(message['type'] === 'session' ? (resumed?.received ?? -1) : -1, now);
    if (this.isConnected) {
      this.#redials.end();
      this.#edge.settled();
    }
  }

  /** A new place in the queue, or a new session. */
  #onSession(message: SessionMessage, now: number): void {
    const { token } = message;
    if (token === undefined) {
      return;
    }
    this.#membership.join(token, message);
    this.#isOurs = true;
    this.#isConfigured = false;
    this.#line.restart();
    this.#edge.remember(token);
    this.#heartbeat.start(this.#membership.heartbeatInterval, now);
  }

  #onConfig(): void {
    this.#isConfigured = true;
    if (!this.#membership.isSession) {
      // The place in the queue was used up for a server that resumes no sessions.
      this.#forget();
      this.#isOurs = false;
      this.#heartbeat.stop();
    }
  }

  #onPong(message: Message, text: string): void {
    if (!this.#isOurs) {
      this.#edge.received(text); // the answer to the library's own heartbeat
      return;
    }
    if (this.#membership.isSession) {
      this.#line.acknowledge(countIn(message['received']) ?? 0);
    }
    this.#edge.answered();
  }

  #forget(): void {
    if (this.#membership.token !== undefined) {
      this.#membership.forget();
      this.#edge.remember(undefined);
    }
  }

  /** The library's connection ends, and the websocket with the code `farewell`. */
  #finish(code: number, reason: string, farewell = this.#membership.token === undefined ? undefined : RETURNING): void {
    if (this.#phase === 'away') {
      this.#edge.awayChanged(false);
    }
    this.#phase = 'closed';
    this.#socket = 'none';
    this.#heartbeat.stop();
    this.#redials.end();
    this.#edge.hangUp(farewell, reason);
    // The library treats 1001 as its own page being closed, and a proxy may send it.
    this.#edge.closed(code === 1001 ? 1006 : code, reason);
  }
}
