/** How long opening a first connection may take, in milliseconds. */
export const FIRST_DIAL_TIMEOUT = 10_000;

/** How long a return may take, from dialling to the server's first message, in milliseconds. */
export const RETURN_TIMEOUT = 4_000;

/** Delays before the second and later attempts, in milliseconds; Firefox delays quicker ones by itself. */
const FIRST_DELAY = 500;
const LONGEST_DELAY = 3_000;

/** How long after an abandoned attempt the server may still carry it out, in milliseconds. */
const STRAY_TIME = 15_000;

/** Attempts in a row; a server may accept each of them and close it at once. */
const MAX_ATTEMPTS = 30;

/** What is due. */
export type Due = 'dial' | 'no-answer' | 'give-up' | undefined;

/** Paces the attempts to return to a session. It has no timer: its caller passes the time in milliseconds. */
export class Redials {
  readonly #random: () => number;
  #attempts = 0;
  #dialAt = Infinity;
  #answerBy = Infinity;
  #giveUpAt = Infinity;
  #abandonedAt = -Infinity;

  /** @param random - returns numbers in [0, 1), for the jitter */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The time at which something is due; Infinity while nothing is. */
  get deadline(): number {
    return Math.min(this.#dialAt, this.#answerBy, this.#giveUpAt);
  }

  /** Whether an attempt that was abandoned may arrive at the server after the one that replaced it. */
  mayBeOvertaken(now: number): boolean {
    return now - this.#abandonedAt < STRAY_TIME;
  }

  /** Starts a series of attempts, which ends after `window` milliseconds. */
  begin(window: number, now: number): void {
    this.#giveUpAt = Math.min(this.#giveUpAt, now + window);
  }

  /** Schedules the next attempt, with jitter: all players of a failed server return at the same time. */
  schedule(now: number): void {
    if (this.#attempts >= MAX_ATTEMPTS) {
      this.#giveUpAt = now;
    }
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.max(0, this.#attempts - 1));
    this.#dialAt = this.#attempts === 0 ? now : now + delay * (0.5 + this.#random() / 2);
  }

  /** An attempt was made, and may take `timeout` milliseconds. */
  dialled(timeout: number, now: number): void {
    this.#attempts += 1;
    this.#dialAt = Infinity;
    this.#answerBy = now + timeout;
  }

  /** The attempt has ended, without success. */
  failed(): void {
    this.#answerBy = Infinity;
  }

  /** The connection is open; the pace stays slow until something was received, since it may be closed at once. */
  opened(): void {
    this.#answerBy = Infinity;
    this.#giveUpAt = Infinity;
  }

  /** Makes a scheduled attempt as soon as possible. */
  hurry(now: number): void {
    this.#dialAt = Math.min(this.#dialAt, this.#dialAt === Infinity ? Infinity : now);
  }

  /** The connection works, or has ended. */
  end(): void {
    this.#attempts = 0;
    this.#dialAt = Infinity;
    this.#answerBy = Infinity;
    this.#giveUpAt = Infinity;
  }

  /** Returns what is due at `now`; the caller does it. */
  due(now: number): Due {
    if (now >= this.#giveUpAt) {
      return 'give-up';
    }
    if (now >= this.#answerBy) {
      this.#abandonedAt = now;
      return 'no-answer';
    }
    return now >= this.#dialAt ? 'dial' : undefined;
  }
}
