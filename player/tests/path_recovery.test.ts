import { describe, expect, it, vi } from 'vitest';
import { DISCONNECTED_TIMEOUT, FAILED_TIMEOUT, PathRecovery } from '../src/resume/path_recovery';
import { useFakeBrowser } from './fake_browser';

function setUp(): { recovery: PathRecovery; path: { state: 'connected' | 'disconnected' | 'failed' }; ask: () => void; onGone: () => void } {
  const path = { state: 'disconnected' as 'connected' | 'disconnected' | 'failed' };
  const ask = vi.fn();
  const onGone = vi.fn();
  return { recovery: new PathRecovery({ state: () => path.state, ask, onGone }), path, ask, onGone };
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

  it('stops', () => {
    const { recovery, path, onGone } = setUp();
    path.state = 'failed';
    recovery.lost();
    recovery.answered();
    recovery.stop();
    vi.advanceTimersByTime(60_000);
    expect(onGone).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
