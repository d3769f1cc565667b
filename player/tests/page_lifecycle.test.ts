import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchPageCache } from '../src/connection/page_lifecycle';

function transition(type: 'pagehide' | 'pageshow', persisted: boolean): Event {
  return Object.assign(new Event(type), { persisted });
}

describe('watchPageCache', () => {
  const listener = { onStored: vi.fn(), onShown: vi.fn() };
  let page: EventTarget;

  beforeEach(() => {
    page = new EventTarget();
    vi.stubGlobal('window', page);
    vi.clearAllMocks();
    watchPageCache(listener);
  });

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('reports each visit to the cache', () => {
    page.dispatchEvent(transition('pagehide', true));
    expect(listener.onStored).toHaveBeenCalledTimes(1);
    expect(listener.onShown).not.toHaveBeenCalled();
    page.dispatchEvent(transition('pageshow', true));
    page.dispatchEvent(transition('pagehide', true));
    expect(listener.onStored).toHaveBeenCalledTimes(2);
    expect(listener.onShown).toHaveBeenCalledTimes(1);
  });

  it('ignores the first load and a page that is not kept', () => {
    page.dispatchEvent(transition('pageshow', false));
    page.dispatchEvent(transition('pagehide', false));
    expect(listener.onStored).not.toHaveBeenCalled();
    expect(listener.onShown).not.toHaveBeenCalled();
  });
});
