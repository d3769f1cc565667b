import { consequence, ELSEWHERE, isUnanswered, MESSAGES_LOST, RETURNING } from './close_rules';
import { NEW_SESSION, type Dial } from './dial';
import { Heartbeat, PLAYING_INTERVAL, WAITING_INTERVAL } from './heartbeat';
import { MessageLine } from './message_line';
import { countIn, parse, sessionMessage, type Message, type SessionMessage } from './messages';
import { FIRST_DIAL_TIMEOUT, Redials, RETURN_TIMEOUT } from './redials';

/** The peer connection: not connected yet, with a path, or without the path that it had. */
export type Media = 'none' | 'live' | 'lost';

/** What the connection uses: websockets, the library, and the rest of the page. */
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

/** How long a session is kept, in milliseconds, as long as its server has not reported its own setting. */
const DEFAULT_WINDOW = 30_000;

/** How long after an abandoned attempt the server may still carry it out, in milliseconds. */
const STRAY_TIME = 15_000;

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
  #line = new MessageLine();
  /** For the library: `joining` until the first websocket is open. */
  #phase: 'closed' | 'joining' | 'open' | 'away' = 'closed';
  /** `returning`: open, and the server has not yet answered with `session`. */
  #socket: 'none' | 'dialling' | 'returning' | 'live' = 'none';
  #dial = NEW_SESSION;
  #token: string | undefined;
  /** Whether the token is one of a session, and not of a place in the queue. */
  #isSession = false;
  #window = DEFAULT_WINDOW;
  /** Whether the server has sent `session`; another one may not understand the heartbeat. */
  #isOurs = false;
  /** Whether the token came over this connection, and not over that of an earlier page or negotiation. */
  #hasJoined = false;
  /** Whether `config` was received: the negotiation has begun. */
  #isConfigured = false;
  #abandonedAt = -Infinity;

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
    return this.isConnected && this.#token !== undefined && this.#isSession;
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
    this.#hasJoined = false;
    this.#isConfigured = false;
    if (dialled === undefined) {
      this.#open(now);
      return;
    }
    if (dialled.resume !== NEW_SESSION.resume) {
      this.#token = dialled.resume;
      this.#isSession = dialled.fresh === true;
    }
    this.#dial = dialled;
    this.#socket = 'dialling';
    this.#redials.dialled(FIRST_DIAL_TIMEOUT, now);
  }

  /** The library sends a message. */
  send(text: string): void {
    const type = parse(text)?.['type'];
    if (type === 'ping' && this.#isOurs) {
      // The library's own heartbeat would end a session whose websocket is replaced.
      this.#edge.received(JSON.stringify({ type: 'pong', time: parse(text)?.['time'] }));
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
    this.#edge.hangUp(code, reason);
    this.#finish(code ?? 1005, reason);
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
    switch (message['type']) {
      case 'session':
        this.#onSession(sessionMessage(message), now);
        return;
      case 'ping':
        this.#edge.send(JSON.stringify({ type: 'pong', time: message['time'] }));
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
    switch (this.#consequence(code, settled, now)) {
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
        this.#ask(now);
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
        this.#abandonedAt = now;
        this.closed(1006, '', now);
        break;
      case 'give-up':
        this.#forget();
        this.#finish(1006, '');
        break;
      case undefined:
    }
  }

  #consequence(code: number, settled: boolean, now: number): ReturnType<typeof consequence> {
    // An attempt that the page has abandoned may have arrived after the one that replaced it.
    const stray = code === ELSEWHERE && now - this.#abandonedAt < STRAY_TIME;
    return stray ? 'return' : consequence(code, settled);
  }

  /** Returns to the session over another websocket, or ends the library's connection where that is no use. */
  #return(code: number, reason: string, now: number): void {
    const media = this.#isConfigured ? this.#edge.media() : 'live';
    if (isUnanswered(code) && media === 'lost') {
      this.#forget(); // neither the server nor the streamer can be reached
    }
    // An interrupted negotiation is repeated: browsers wait for candidates for some seconds only.
    if (this.#phase === 'joining' || this.#token === undefined || media === 'none') {
      this.#finish(code, reason);
      return;
    }
    if (this.#phase === 'open') {
      this.#phase = 'away';
      this.#redials.begin(this.#window, now);
      this.#edge.awayChanged(true);
    }
    this.#redials.schedule(now);
    this.tick(now);
  }

  /** Opens a websocket, to the session if there is one. */
  #open(now: number): void {
    const resume = this.#token ?? NEW_SESSION.resume;
    const returns = this.#phase !== 'joining';
    const session = this.#hasJoined ? { received: this.#line.received } : { fresh: true };
    this.#dial = { resume, ...(this.#isSession && session) };
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
    this.#edge.settled();
    this.#line.acknowledge(count);
    for (const text of missing) {
      this.#edge.send(text);
    }
    if (this.#isOurs) {
      this.#heartbeat.start(this.#interval, now);
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
    this.#window = window ?? this.#window;
    // Without an answer to the return, the message belongs to something that the library knows nothing of.
    this.#settle(message['type'] === 'session' ? (resumed?.received ?? -1) : -1, now);
    if (this.#socket === 'live') {
      this.#redials.end();
    }
  }

  /** A new place in the queue, or a new session. */
  #onSession({ token, window, isServers }: SessionMessage, now: number): void {
    if (token === undefined) {
      return;
    }
    this.#isOurs = true;
    this.#token = token;
    this.#hasJoined = true;
    this.#isSession = isServers;
    this.#window = window ?? DEFAULT_WINDOW;
    this.#isConfigured = false;
    this.#line.restart();
    this.#edge.remember(token);
    this.#heartbeat.start(this.#interval, now);
  }

  #onConfig(): void {
    this.#isConfigured = true;
    if (!this.#isSession) {
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
    if (this.#isSession) {
      this.#line.acknowledge(countIn(message['received']) ?? 0);
    }
    this.#edge.answered();
  }

  #ask(now: number): void {
    const received = this.#isSession ? { received: this.#line.received } : {};
    this.#edge.send(JSON.stringify({ type: 'ping', time: Math.round(now), ...received }));
  }

  get #interval(): number {
    return this.#isSession ? PLAYING_INTERVAL : WAITING_INTERVAL;
  }

  #forget(): void {
    if (this.#token !== undefined) {
      this.#token = undefined;
      this.#isSession = false;
      this.#edge.remember(undefined);
    }
  }

  /** The library's connection ends. */
  #finish(code: number, reason: string): void {
    if (this.#phase === 'away') {
      this.#edge.awayChanged(false);
    }
    this.#phase = 'closed';
    this.#socket = 'none';
    this.#heartbeat.stop();
    this.#redials.end();
    this.#edge.hangUp(this.#token === undefined ? undefined : RETURNING, '');
    // The library treats 1001 as its own page being closed, and a proxy may send it.
    this.#edge.closed(code === 1001 ? 1006 : code, reason);
  }
}
