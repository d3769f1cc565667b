import type { Dial } from '../src/resume/dial';
import type { Edge, Media } from '../src/resume/edge';
import { VirtualConnection } from '../src/resume/virtual_connection';

/** What a faulty server does with the messages that it replays, or with those that are replayed to it. */
export type Fault = 'skips' | 'repeats' | 'forgets-count';

/** A websocket: messages on their way in both directions, which are delivered in order or lost. */
class Socket {
  readonly dial: Dial;
  readonly up: string[] = [];
  readonly down: (string | number)[] = []; // a number is a close code
  isOpen = false;
  /** Whether nothing arrives any more, and nobody notices. */
  isFrozen = false;
  serverHasIt = false;

  constructor(dial: Dial) {
    this.dial = dial;
  }
}

interface Entry {
  readonly type: string;
  readonly number?: number;
  readonly received?: number;
  readonly resumed?: boolean;
}

/** A random number generator with a seed, so that a failure can be repeated. */
export function randomOf(seed: number): () => number {
  let state = seed + 0x6d2b79f5;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A page, a server and the network between them, in one thread. The server resumes sessions as ours do: it counts, keeps
 * a bounded number of messages, and lets the newest connection win.
 */
export class World implements Edge {
  readonly atLibrary: number[] = [];
  readonly atServer: number[] = [];
  /** The code with which the library's connection ended. */
  ended: number | undefined;
  readonly #random: () => number;
  readonly #bound: number;
  readonly #fault: Fault | undefined;
  readonly #connection: VirtualConnection;
  readonly #sockets: Socket[] = [];
  #current: Socket | undefined;
  #atServer: Socket | undefined;
  #now = 0;
  #fromLibrary = 0;
  #fromServer = 0;
  #kept: string[] = [];
  #first = 0;
  #received = 0;
  #serverHasSession = false;
  #pageHasSession = false;

  /** @param bound - the number of messages that the server keeps */
  constructor(random: () => number, bound: number, fault?: Fault) {
    this.#random = random;
    this.#bound = bound;
    this.#fault = fault;
    this.#connection = new VirtualConnection(this, random);
    this.#connection.connect(0);
  }

  dial(dial: Dial): void {
    this.#current = new Socket(dial);
    this.#sockets.push(this.#current);
  }
  hangUp(): void {
    this.#current = undefined;
  }
  send(text: string): void {
    this.#current?.up.push(text);
  }
  settled(): void {
    // Replaced websockets go on in this world: what they still carry must do no harm.
  }
  opened(): void {
    this.librarySends();
  }
  received(text: string): void {
    const { number } = JSON.parse(text) as Entry;
    if (number !== undefined) {
      this.atLibrary.push(number);
    }
  }
  closed(code: number): void {
    this.ended = code;
  }
  remember(): void {
    this.#pageHasSession = true;
  }
  awayChanged(): void {
    // Only shown.
  }
  answered(): void {
    // Only for the media.
  }
  media(): Media {
    return 'live';
  }

  get numbers(): { fromLibrary: number; fromServer: number } {
    return { fromLibrary: this.#fromLibrary, fromServer: this.#fromServer };
  }

  librarySends(): void {
    if (this.ended === undefined) {
      this.#connection.send(JSON.stringify({ type: 'stats', number: this.#fromLibrary }));
      this.#fromLibrary += 1;
    }
  }

  serverSends(): void {
    if (!this.#serverHasSession) {
      return;
    }
    const text = JSON.stringify({ type: 'iceCandidate', number: this.#fromServer });
    this.#fromServer += 1;
    this.#kept.push(text);
    if (this.#kept.length > this.#bound) {
      this.#kept.shift();
      this.#first += 1;
    }
    this.#atServer?.down.push(text);
  }

  /** Delivers one message of a random websocket, in a random direction. */
  deliver(): void {
    const socket = this.#sockets[Math.floor(this.#random() * this.#sockets.length)];
    if (socket === undefined || socket.isFrozen) {
      return;
    }
    if (this.#random() < 0.5) {
      this.#deliverUp(socket);
    } else {
      this.#deliverDown(socket);
    }
  }

  /** Loses what is on its way; both sides notice, or neither. */
  breakSocket(isNoticed: boolean): void {
    const socket = this.#current;
    if (socket === undefined || socket.isFrozen || !(isNoticed || this.#pageHasSession)) {
      return; // before its first message a server is not known to answer a heartbeat
    }
    socket.up.length = 0;
    socket.down.length = 0;
    if (isNoticed) {
      socket.down.push(1006);
      if (this.#atServer === socket) {
        this.#atServer = undefined;
      }
    } else {
      socket.isFrozen = true;
    }
  }

  /** Lets the page do what is due within `milliseconds`. */
  wait(milliseconds: number): void {
    const until = this.#now + milliseconds;
    while (this.#connection.deadline <= until) {
      this.#now = Math.max(this.#now, this.#connection.deadline);
      this.#connection.tick(this.#now);
    }
    this.#now = until;
  }

  /** Without further faults: delivers all that is on its way. */
  settle(): void {
    for (let round = 0; round < 400; round += 1) {
      for (const socket of this.#sockets.filter(({ isFrozen }) => !isFrozen)) {
        this.#deliverUp(socket);
        this.#deliverDown(socket);
      }
      this.wait(100);
    }
  }

  #deliverUp(socket: Socket): void {
    if (!socket.serverHasIt) {
      this.#accept(socket);
      return;
    }
    const text = socket.up.shift();
    if (text === undefined || socket !== this.#atServer) {
      return; // the newest connection wins
    }
    const message = JSON.parse(text) as Entry;
    if (message.type === 'ping') {
      this.#acknowledge(message.received ?? 0);
      socket.down.push(JSON.stringify({ type: 'pong', received: this.#received }));
      return;
    }
    this.#received += 1;
    this.atServer.push(message.number ?? -1);
  }

  #deliverDown(socket: Socket): void {
    if (!socket.serverHasIt) {
      return;
    }
    const isCurrent = socket === this.#current;
    if (!socket.isOpen) {
      socket.isOpen = true;
      if (isCurrent) {
        this.#connection.opened(this.#now);
      }
      return;
    }
    const next = socket.down.shift();
    if (!isCurrent || next === undefined) {
      return;
    }
    if (typeof next === 'number') {
      this.#current = undefined;
      this.#connection.closed(next, '', this.#now);
    } else {
      this.#connection.received(next, this.#now);
    }
  }

  #accept(socket: Socket): void {
    socket.serverHasIt = true;
    const old = this.#atServer;
    if (old !== undefined && old !== socket) {
      old.down.push(4208);
    }
    this.#atServer = socket;
    const { received } = socket.dial;
    if (received === undefined) {
      this.#serverHasSession = true;
      socket.down.push(JSON.stringify({ type: 'session', token: 'T', resumeSeconds: 30, reloadSeconds: 5 }));
      return;
    }
    const missing = this.#kept.slice(Math.max(0, received - this.#first));
    if (received < this.#first) {
      socket.down.push(4008);
      this.#atServer = undefined;
      return;
    }
    const count = this.#fault === 'forgets-count' ? Math.max(0, this.#received - 1) : this.#received;
    socket.down.push(JSON.stringify({ type: 'session', resumed: true, received: count }));
    if (this.#fault === 'skips') {
      missing.shift();
    } else if (this.#fault === 'repeats') {
      missing.unshift(...missing.slice(0, 1));
    }
    socket.down.push(...missing);
  }

  #acknowledge(count: number): void {
    while (this.#first < count && this.#kept.length > 0) {
      this.#kept.shift();
      this.#first += 1;
    }
  }
}
