import type { ReconnectAdvice } from './close_codes';

/** How long to wait before the attempts, in milliseconds: the first wait doubles up to the longest. */
const DELAYS: Readonly<Record<Exclude<ReconnectAdvice, 'never'>, { first: number; longest: number }>> = {
  'now': { first: 250, longest: 10_000 },
  later: { first: 3_000, longest: 30_000 },
};

/** Attempts in a row that may fail before the page leaves it to the person: some minutes of them. */
export const MAX_ATTEMPTS = 20;

/** A connection that held this long, in milliseconds, proves that the server is well again. */
export const STABLE_AFTER = 10_000;

/** Decides when to dial again. It keeps count and holds no timer: the clock is its caller's. */
export class ReconnectBackoff {
  #attempts = 0;
  #openedAt: number | undefined;
  readonly #random: () => number;

  /** @param random - gives numbers from 0 to below 1, for the jitter */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** The connection is up, at `now` (milliseconds of any steady clock). */
  opened(now: number): void {
    this.#openedAt = now;
  }

  /**
   * The connection was closed.
   *
   * @returns the milliseconds to wait before dialling again, or undefined to stop
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
    const wait = Math.min(longest, first * 2 ** this.#attempts);
    this.#attempts += 1;
    // Jitter, so that the players of a server that went away do not come back as one.
    return Math.round(wait * (0.5 + this.#random() / 2));
  }

  /** The person asks for a fresh start. */
  reset(): void {
    this.#attempts = 0;
    this.#openedAt = undefined;
  }
}
