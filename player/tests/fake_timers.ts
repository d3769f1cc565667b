import { afterEach, beforeEach, vi } from 'vitest';

/** Replaces the timers of `window` by those of vitest in each test of the enclosing `describe`. */
export function useFakeTimers(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('window', globalThis);
  });

  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
}
