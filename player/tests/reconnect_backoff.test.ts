import { describe, expect, it } from 'vitest';
import { LASTING_ATTEMPTS, MAX_ATTEMPTS, ReconnectBackoff, STABLE_AFTER } from '../src/connection/reconnect_backoff';

/** Without jitter: the longest delays. */
const longest = (): ReconnectBackoff => new ReconnectBackoff(() => 1);

describe('ReconnectBackoff', () => {
  it('doubles short delays up to a limit', () => {
    const backoff = longest();
    const delays = Array.from({ length: 8 }, () => backoff.closed('now', 0));
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it('doubles long delays up to a limit', () => {
    const backoff = longest();
    const delays = Array.from({ length: 6 }, () => backoff.closed('later', 0));
    expect(delays).toEqual([3000, 6000, 12_000, 24_000, 30_000, 30_000]);
  });

  it('adds jitter of up to half of the delay', () => {
    expect(new ReconnectBackoff(() => 0).closed('later', 0)).toBe(1500);
    expect(new ReconnectBackoff(() => 0.5).closed('later', 0)).toBe(2250);
  });

  it('stops on the advice "never"', () => {
    expect(longest().closed('never', 0)).toBeUndefined();
  });

  it('gives up after MAX_ATTEMPTS in a row', () => {
    const backoff = longest();
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      expect(backoff.closed('now', 0)).toBeDefined();
    }
    expect(backoff.closed('now', 0)).toBeUndefined();
  });

  it('is lasting after LASTING_ATTEMPTS that failed, until it is reset', () => {
    const backoff = longest();
    backoff.closed('now', 0); // the connection that is lost
    for (let attempt = 0; attempt < LASTING_ATTEMPTS; attempt++) {
      expect(backoff.isLasting).toBe(false);
      backoff.closed('now', 0);
    }
    expect(backoff.isLasting).toBe(true);
    backoff.reset();
    expect(backoff.isLasting).toBe(false);
  });

  it('resets after a stable connection', () => {
    const backoff = longest();
    backoff.closed('now', 0);
    backoff.closed('now', 0);
    backoff.opened(1000);
    expect(backoff.closed('now', 1000 + STABLE_AFTER)).toBe(250);
  });

  it('does not reset after a short connection', () => {
    const backoff = longest();
    backoff.closed('now', 0);
    backoff.opened(1000);
    expect(backoff.closed('now', 1000 + STABLE_AFTER - 1)).toBe(500);
    // an attempt that never opened has no duration of its own, nor that of the one before
    expect(backoff.closed('now', 1000 + 10 * STABLE_AFTER)).toBe(1000);
  });

  it('starts again on reset', () => {
    const backoff = longest();
    backoff.closed('now', 0);
    backoff.reset();
    expect(backoff.closed('now', 0)).toBe(250);
  });
});
