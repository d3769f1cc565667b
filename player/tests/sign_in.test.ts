import { describe, expect, it } from 'vitest';
import { signInUrl } from '../src/sign_in/address';
import { addressWithLink, forgetLink, hideUsedLink, type Tab } from '../src/sign_in/used_link';

/** A tab at an address, with a storage of its own. */
function tabAt(href: string): Tab & { location: { href: string } } {
  const values = new Map<string, string>();
  const location = { href };
  return {
    location,
    history: {
      state: undefined,
      replaceState: (_: unknown, __: string, url?: string | URL | null) => {
        location.href = String(url);
      },
    },
    sessionStorage: {
      getItem: (key) => values.get(key) ?? null,
      setItem: (key, value) => void values.set(key, value),
      removeItem: (key) => void values.delete(key),
    },
  };
}

describe('signInUrl', () => {
  it.each([
    ['https://play.test/', 'https://play.test/sign-in?return=%2F'],
    ['https://play.test/game/?app=city&id=a#top', 'https://play.test/game/sign-in?return=%2Fgame%2F%3Fapp%3Dcity%26id%3Da'],
  ])('returns to the page at %s', (page, url) => {
    expect(signInUrl(page)).toBe(url);
  });
});

describe('a used link', () => {
  it('leaves the address, and a reload still has it', () => {
    const tab = tabAt('https://play.test/?app=city&link=secret#top');
    expect(addressWithLink(tab)).toBe('https://play.test/?app=city&link=secret#top');
    hideUsedLink(tab);
    expect(tab.location.href).toBe('https://play.test/?app=city#top');
    expect(addressWithLink(tab)).toBe('https://play.test/?app=city&link=secret#top');
    hideUsedLink(tab);
    expect(addressWithLink(tab)).toBe('https://play.test/?app=city&link=secret#top');
  });

  it('belongs to one address', () => {
    const tab = tabAt('https://play.test/?link=secret');
    hideUsedLink(tab);
    tab.location.href = 'https://play.test/?app=city';
    expect(addressWithLink(tab)).toBe('https://play.test/?app=city');
    tab.location.href = 'https://play.test/?link=newer';
    expect(addressWithLink(tab)).toBe('https://play.test/?link=newer');
  });

  it('is forgotten when it was refused', () => {
    const tab = tabAt('https://play.test/?link=secret');
    hideUsedLink(tab);
    forgetLink(tab);
    expect(addressWithLink(tab)).toBe('https://play.test/');
  });

  it('stays in the address without storage', () => {
    const tab: Tab = {
      ...tabAt('https://play.test/?link=secret'),
      sessionStorage: {
        getItem: () => {
          throw new Error('denied');
        },
        setItem: () => {
          throw new Error('denied');
        },
        removeItem: () => {
          throw new Error('denied');
        },
      },
    };
    hideUsedLink(tab);
    forgetLink(tab);
    expect(addressWithLink(tab)).toBe('https://play.test/?link=secret');
  });
});
