import type { ReconnectAdvice } from './close_codes';
import { ReconnectBackoff } from './reconnect_backoff';

/** Schedules reconnect attempts with backoff. A pending attempt is made at once when the network comes back. */
export class Reconnector {
  readonly #connect: () => void;
  readonly #backoff = new ReconnectBackoff();
  #timer: number | undefined;

  /** @param connect - makes one attempt */
  constructor(connect: () => void) {
    this.#connect = connect;
    window.addEventListener('online', () => {
      if (this.isPending) {
        this.connectIn(0);
      }
    });
  }

  /** Whether an attempt is scheduled. */
  get isPending(): boolean {
    return this.#timer !== undefined;
  }

  /** Whether several attempts in a row have failed. */
  get isLasting(): boolean {
    return this.#backoff.isLasting;
  }

  /** The connection was opened. */
  opened(): void {
    this.#backoff.opened(performance.now());
  }

  /**
   * The connection was closed; schedules the next attempt.
   *
   * @returns false when there is to be no further attempt
   */
  closed(advice: ReconnectAdvice): boolean {
    const delay = this.#backoff.closed(advice, performance.now());
    if (delay === undefined) {
      return false;
    }
    this.connectIn(delay);
    return true;
  }

  /** Schedules an attempt in `delay` milliseconds, in place of any other. */
  connectIn(delay: number): void {
    this.cancel();
    this.#timer = window.setTimeout(() => {
      this.#timer = undefined;
      this.#connect();
    }, delay);
  }

  cancel(): void {
    window.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Starts the backoff from the first attempt again. */
  reset(): void {
    this.#backoff.reset();
  }
}
