/**
 * How often the server is asked while a stream plays, in milliseconds. After a change of the machine's address Chromium
 * reports nothing, and the media goes on: with ANSWER_TIMEOUT this is the time until the websocket is replaced.
 */
export const PLAYING_INTERVAL = 2_000;

/** The same while the page waits for a stream. */
export const WAITING_INTERVAL = 15_000;

/** How long an answer may take, in milliseconds. */
export const ANSWER_TIMEOUT = 3_000;

/** What is due. */
export type Due = 'ask' | 'unanswered' | undefined;

/** Asks the server at an interval whether it is there. It has no timer: its caller passes the time in milliseconds. */
export class Heartbeat {
  #interval = WAITING_INTERVAL;
  #askAt = Infinity;
  #answerBy = Infinity;

  /** The time at which something is due; Infinity while it is stopped. */
  get deadline(): number {
    return Math.min(this.#askAt, this.#answerBy);
  }

  /** Starts, or changes the interval. */
  start(interval: number, now: number): void {
    this.#interval = interval;
    this.#askAt = Math.min(this.#askAt, now + interval);
  }

  stop(): void {
    this.#askAt = Infinity;
    this.#answerBy = Infinity;
  }

  /** Asks as soon as possible: something has happened to the network, or may have. */
  hurry(now: number): void {
    if (this.#askAt !== Infinity && this.#answerBy === Infinity) {
      this.#askAt = now;
    }
  }

  /** Something was received. */
  heard(): void {
    this.#answerBy = Infinity;
  }

  /** Returns what is due at `now`; the caller does it. */
  due(now: number): Due {
    if (now >= this.#answerBy) {
      this.stop();
      return 'unanswered';
    }
    if (now >= this.#askAt) {
      this.#askAt = now + this.#interval;
      this.#answerBy = Math.min(this.#answerBy, now + ANSWER_TIMEOUT);
      return 'ask';
    }
    return undefined;
  }
}
