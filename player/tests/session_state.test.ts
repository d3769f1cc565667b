import { describe, expect, it, vi } from 'vitest';
import { SessionState } from '../src/session_state';
import type { State } from '../src/state';
import { useFakeTimers } from './fake_timers';

function setUp(): { session: SessionState; states: State[]; onTimeout: () => void } {
  const states: State[] = [];
  const onTimeout = vi.fn();
  const session = new SessionState((state) => states.push(state), onTimeout);
  return { session, states, onTimeout };
}

describe('SessionState', () => {
  useFakeTimers();

  it('reports each change once', () => {
    const { session, states } = setUp();
    session.dispatch({ type: 'configured' });
    session.dispatch({ type: 'frame' });
    session.dispatch({ type: 'frame' });
    expect(states).toEqual([{ phase: 'starting' }, { phase: 'playing' }]);
    expect(session.current).toEqual({ phase: 'playing' });
  });

  it('limits the time from the first "starting" to a frame', () => {
    const { session, onTimeout } = setUp();
    session.dispatch({ type: 'configured' });
    vi.advanceTimersByTime(20_000);
    session.dispatch({ type: 'negotiated' });
    vi.advanceTimersByTime(9_999);
    expect(onTimeout).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onTimeout).toHaveBeenCalledTimes(1);
  });

  it('has a shorter limit after a lost ICE path', () => {
    const { session, onTimeout } = setUp();
    session.dispatch({ type: 'disconnected', cut: true });
    session.dispatch({ type: 'configured' });
    vi.advanceTimersByTime(7_000);
    expect(onTimeout).toHaveBeenCalledTimes(1);
  });

  it('has no limit in other phases', () => {
    const { session, onTimeout } = setUp();
    session.dispatch({ type: 'configured' });
    session.dispatch({ type: 'frame' });
    vi.advanceTimersByTime(60_000);
    expect(onTimeout).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
