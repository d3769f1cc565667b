import { describe, expect, it, vi } from 'vitest';
import { MAX_ATTEMPTS } from '../src/connection/reconnect_backoff';
import { Reconnector } from '../src/connection/reconnector';
import { useFakeBrowser } from './fake_browser';

let browserWindow: EventTarget;

function setUp(): { reconnector: Reconnector; connect: () => void } {
  const connect = vi.fn();
  return { reconnector: new Reconnector(connect), connect };
}

describe('Reconnector', () => {
  useFakeBrowser(() => {
    browserWindow = Object.assign(new EventTarget(), { setTimeout, clearTimeout });
    return browserWindow;
  });

  it('connects once after a delay', () => {
    const { reconnector, connect } = setUp();
    expect(reconnector.closed('now')).toBe(true);
    expect(reconnector.isPending).toBe(true);
    expect(connect).not.toHaveBeenCalled();
    vi.advanceTimersByTime(250);
    expect(connect).toHaveBeenCalledTimes(1);
    expect(reconnector.isPending).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('schedules nothing on the advice "never", nor after the last attempt', () => {
    const { reconnector } = setUp();
    expect(reconnector.closed('never')).toBe(false);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      expect(reconnector.closed('now')).toBe(true);
    }
    reconnector.cancel();
    expect(reconnector.closed('now')).toBe(false);
    expect(reconnector.isPending).toBe(false);
    reconnector.reset();
    expect(reconnector.closed('now')).toBe(true);
  });

  it('makes a pending attempt at once when the network comes back', () => {
    const { reconnector, connect } = setUp();
    browserWindow.dispatchEvent(new Event('online'));
    vi.advanceTimersByTime(0);
    expect(connect).not.toHaveBeenCalled();
    reconnector.closed('later');
    browserWindow.dispatchEvent(new Event('online'));
    vi.advanceTimersByTime(0);
    expect(connect).toHaveBeenCalledTimes(1);
  });

  it('cancels a pending attempt', () => {
    const { reconnector, connect } = setUp();
    reconnector.closed('now');
    reconnector.cancel();
    vi.advanceTimersByTime(60_000);
    expect(connect).not.toHaveBeenCalled();
  });
});
