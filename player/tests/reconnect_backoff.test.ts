import { describe, expect, it } from 'vitest';
import { MAX_ATTEMPTS, ReconnectBackoff, STABLE_AFTER } from '../src/connection/reconnect_backoff';

/** The longest waits: the jitter at its top. */
const unlucky = (): ReconnectBackoff => new ReconnectBackoff(() => 1);

describe('ReconnectBackoff', () => {
  it('comes back at once with short waits that grow to a bound', () => {
    const redial = unlucky();
    const waits = Array.from({ length: 8 }, () => redial.closed('now', 0));
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it('comes back later with long waits that grow to a bound', () => {
    const redial = unlucky();
    const waits = Array.from({ length: 6 }, () => redial.closed('later', 0));
    expect(waits).toEqual([3000, 6000, 12_000, 24_000, 30_000, 30_000]);
  });

  it('spreads the waits over half of their length', () => {
    expect(new ReconnectBackoff(() => 0).closed('later', 0)).toBe(1500);
    expect(new ReconnectBackoff(() => 0.5).closed('later', 0)).toBe(2250);
  });

  it('does not come back when it is told so', () => {
    expect(unlucky().closed('never', 0)).toBeUndefined();
  });

  it('gives up after many attempts in a row', () => {
    const redial = unlucky();
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      expect(redial.closed('now', 0)).toBeDefined();
    }
    expect(redial.closed('now', 0)).toBeUndefined();
  });

  it('counts from one again after a connection that held', () => {
    const redial = unlucky();
    redial.closed('now', 0);
    redial.closed('now', 0);
    redial.opened(1000);
    expect(redial.closed('now', 1000 + STABLE_AFTER)).toBe(250);
  });

  it('goes on slowing down while connections open and break', () => {
    const redial = unlucky();
    redial.closed('now', 0);
    redial.opened(1000);
    expect(redial.closed('now', 1000 + STABLE_AFTER - 1)).toBe(500);
    // an attempt that never opened is not counted with the time of the one before it
    expect(redial.closed('now', 1000 + 10 * STABLE_AFTER)).toBe(1000);
  });

  it('starts over when the person asks', () => {
    const redial = unlucky();
    redial.closed('now', 0);
    redial.reset();
    expect(redial.closed('now', 0)).toBe(250);
  });
});
