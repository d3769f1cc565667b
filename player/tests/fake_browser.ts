import { afterEach, beforeEach, vi } from 'vitest';

/** Gives each test of the surrounding `describe` fake timers and a `window`; `makeWindow` is called after the timers. */
export function useFakeBrowser(makeWindow: () => unknown = () => globalThis): void {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('window', makeWindow());
  });

  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
}
