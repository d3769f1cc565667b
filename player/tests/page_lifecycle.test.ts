import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchPageCache } from '../src/connection/page_lifecycle';

function transition(type: 'pagehide' | 'pageshow', persisted: boolean): Event {
  return Object.assign(new Event(type), { persisted });
}

describe('watchPageCache', () => {
  const page = { leave: vi.fn(() => true), join: vi.fn() };
  let browser: EventTarget;

  beforeEach(() => {
    browser = new EventTarget();
    vi.stubGlobal('window', browser);
    vi.clearAllMocks();
    watchPageCache(page);
  });

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('leaves on each visit to the cache, and joins when the page is shown', () => {
    for (const visits of [1, 2]) {
      browser.dispatchEvent(transition('pagehide', true));
      expect(page.leave).toHaveBeenCalledTimes(visits);
      expect(page.join).toHaveBeenCalledTimes(visits - 1);
      browser.dispatchEvent(transition('pageshow', true));
      expect(page.join).toHaveBeenCalledTimes(visits);
    }
  });

  it('ignores the first load and a page that is not kept', () => {
    browser.dispatchEvent(transition('pageshow', false));
    browser.dispatchEvent(transition('pagehide', false));
    expect(page.leave).not.toHaveBeenCalled();
    expect(page.join).not.toHaveBeenCalled();
  });

  it('ends with its signal', () => {
    const end = new AbortController();
    const closed = { leave: vi.fn(() => true), join: vi.fn() };
    watchPageCache(closed, end.signal);
    end.abort();
    browser.dispatchEvent(transition('pagehide', true));
    browser.dispatchEvent(transition('pageshow', true));
    expect([closed.leave, closed.join].map(({ mock }) => mock.calls)).toEqual([[], []]);
  });

  it('does not join for a page that had nothing to leave, such as one whose session is over', () => {
    page.leave.mockReturnValueOnce(false);
    browser.dispatchEvent(transition('pagehide', true));
    browser.dispatchEvent(transition('pageshow', true));
    expect(page.join).not.toHaveBeenCalled();
  });
});
