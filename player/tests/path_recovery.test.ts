import { describe, expect, it, vi } from 'vitest';
import { DISCONNECTED_TIMEOUT, FAILED_TIMEOUT, PathRecovery } from '../src/resume/path_recovery';
import { useFakeBrowser } from './fake_browser';

interface Setting {
  recovery: PathRecovery;
  path: { state: 'connected' | 'disconnected' | 'failed' };
  ask: () => void;
  onWaiting: () => void;
  onGone: () => void;
}

function setUp(): Setting {
  const path = { state: 'disconnected' as 'connected' | 'disconnected' | 'failed' };
  const ask = vi.fn();
  const onWaiting = vi.fn();
  const onGone = vi.fn();
  return { recovery: new PathRecovery({ state: () => path.state, ask, onWaiting, onGone }), path, ask, onWaiting, onGone };
}

describe('PathRecovery', () => {
  useFakeBrowser();

  it('waits as long as the server does not answer', () => {
    const { recovery, ask, onGone } = setUp();
    recovery.lost();
    expect(ask).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(60_000);
    expect(onGone).not.toHaveBeenCalled();
  });

  it.each([
    ['failed', FAILED_TIMEOUT],
    ['disconnected', DISCONNECTED_TIMEOUT],
  ] as const)('gives up a path that is %s %i ms after the answer', (state, timeout) => {
    const { recovery, path, onGone } = setUp();
    path.state = state;
    recovery.lost();
    recovery.answered();
    recovery.answered();
    vi.advanceTimersByTime(timeout - 1);
    expect(onGone).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onGone).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(60_000);
    expect(onGone).toHaveBeenCalledOnce();
  });

  it('keeps a path that came back', () => {
    const { recovery, path, onGone } = setUp();
    recovery.lost();
    recovery.answered();
    path.state = 'connected';
    vi.advanceTimersByTime(60_000);
    expect(onGone).not.toHaveBeenCalled();
    path.state = 'failed';
    recovery.answered();
    vi.advanceTimersByTime(60_000);
    expect(onGone).not.toHaveBeenCalled();
  });

  it('stops, and reports whether it waits', () => {
    const { recovery, path, onWaiting, onGone } = setUp();
    recovery.stop();
    path.state = 'failed';
    recovery.lost();
    recovery.answered();
    expect(recovery.isWaiting).toBe(true);
    recovery.stop();
    expect(recovery.isWaiting).toBe(false);
    vi.advanceTimersByTime(60_000);
    expect(onWaiting).toHaveBeenCalledTimes(2);
    expect(onGone).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
