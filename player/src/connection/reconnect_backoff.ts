import type { ReconnectAdvice } from './close_codes';

/** Delays before reconnect attempts, in milliseconds: the first one doubles with each attempt up to the longest. */
const DELAYS: Readonly<Record<Exclude<ReconnectAdvice, 'never'>, { first: number; longest: number }>> = {
  now: { first: 250, longest: 10_000 },
  later: { first: 3_000, longest: 30_000 },
};

/** Attempts in a row that may fail before the page gives up: some minutes of them. */
export const MAX_ATTEMPTS = 20;

/** Attempts in a row after which the interruption is no longer a short one: their delays are 4 to 8 s together. */
export const LASTING_ATTEMPTS = 5;

/** A connection that lasted this long, in milliseconds, resets the backoff. */
export const STABLE_AFTER = 10_000;

/** Exponential backoff with jitter. It has no timer and no clock: its caller passes the time. */
export class ReconnectBackoff {
  #attempts = 0;
  #openedAt: number | undefined;
  readonly #random: () => number;

  /** @param random - returns numbers in [0, 1), for the jitter */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Whether several attempts in a row have failed. */
  get isLasting(): boolean {
    return this.#attempts > LASTING_ATTEMPTS;
  }

  /** The connection was opened at `now`, in milliseconds of a monotonic clock. */
  opened(now: number): void {
    this.#openedAt = now;
  }

  /**
   * The connection was closed at `now`.
   *
   * @returns the delay before the next attempt in milliseconds, or undefined to give up
   */
  closed(advice: ReconnectAdvice, now: number): number | undefined {
    if (this.#openedAt !== undefined && now - this.#openedAt >= STABLE_AFTER) {
      this.#attempts = 0;
    }
    this.#openedAt = undefined;
    if (advice === 'never' || this.#attempts >= MAX_ATTEMPTS) {
      return undefined;
    }
    const { first, longest } = DELAYS[advice];
    const delay = Math.min(longest, first * 2 ** this.#attempts);
    this.#attempts += 1;
    // Jitter, so that all players of a failed server do not reconnect at the same time.
    return Math.round(delay * (0.5 + this.#random() / 2));
  }

  /** Starts from the first attempt again. */
  reset(): void {
    this.#attempts = 0;
    this.#openedAt = undefined;
  }
}
