import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { claimTab, storedSession } from '../src/resume/tab_claim';
import { TabToken } from '../src/resume/tab_token';

/** Locks as browsers grant them: one holder of a name, until the page is unloaded. */
class Locks {
  readonly #held = new Set<string>();

  async request(name: string, { signal }: { signal: AbortSignal }, callback: () => Promise<void>): Promise<void> {
    if (this.#held.has(name)) {
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(new DOMException('', 'TimeoutError'));
        });
      });
    }
    this.#held.add(name);
    await callback();
  }
}

describe('claimTab', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it('gives a name to one tab', async () => {
    vi.stubGlobal('navigator', { locks: new Locks() });
    expect(await claimTab('one')).toBe(true);
    expect(await claimTab('two')).toBe(true);
    expect(await claimTab('one')).toBe(false);
  });

  it('gives a name to one tab where the browser has no locks', async () => {
    vi.stubGlobal('navigator', {});
    expect(await claimTab('three')).toBe(true);
    expect(await claimTab('four')).toBe(true);
    expect(await claimTab('three')).toBe(false);
  });

  it('gives no name where the browser refuses it', async () => {
    const request = (): never => {
      throw new DOMException('', 'SecurityError');
    };
    vi.stubGlobal('navigator', { locks: { request } });
    expect(await claimTab('five')).toBe(false);
  });
});

describe('the storage', () => {
  let items: Map<string, string>;

  beforeEach(() => {
    items = new Map();
    vi.stubGlobal('navigator', { locks: new Locks() });
    vi.stubGlobal('sessionStorage', {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => items.set(key, value),
      removeItem: (key: string) => items.delete(key),
    });
  });

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('keeps the latest token under the name of the tab', () => {
    const token = new TabToken(undefined);
    token.store('T1');
    const first = storedSession();
    token.store('T2');
    expect(first?.token).toBe('T1');
    expect(storedSession()).toEqual({ tab: first?.tab, token: 'T2' });
    token.store(undefined);
    expect(storedSession()).toBeUndefined();
  });

  it('keeps the name that the page has claimed', () => {
    new TabToken('one').store('T1');
    expect(storedSession()).toEqual({ tab: 'one', token: 'T1' });
  });

  it('may be forbidden', () => {
    vi.stubGlobal('sessionStorage', undefined);
    new TabToken(undefined).store('T1');
    new TabToken(undefined).store(undefined);
    expect(storedSession()).toBeUndefined();
  });
});
