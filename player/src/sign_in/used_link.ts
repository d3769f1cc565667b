/** The URL parameter of a signed link. */
const LINK = 'link';

/** The key of the tab's storage. */
const KEY = 'pixelfleet.link';

/** The parts of a browser's window that this module uses. */
export interface Tab {
  readonly location: Pick<Location, 'href'>;
  readonly history: Pick<History, 'state' | 'replaceState'>;
  readonly sessionStorage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
}

/**
 * The URL of the page with the signed link that has left its address, so that a reload and a new session still have it.
 * A link belongs to one address of the page in one tab.
 */
export function addressWithLink(tab: Tab = window): string {
  const url = new URL(tab.location.href);
  const [address, link] = stored(tab);
  if (link !== undefined && address === withoutFragment(url) && !url.searchParams.has(LINK)) {
    url.searchParams.set(LINK, link);
  }
  return url.href;
}

/** Removes a signed link that was used from the address bar and the history, where other people could read it. */
export function hideUsedLink(tab: Tab = window): void {
  const url = new URL(tab.location.href);
  const link = url.searchParams.get(LINK);
  if (link === null) {
    return;
  }
  url.searchParams.delete(LINK);
  try {
    tab.sessionStorage.setItem(KEY, JSON.stringify([withoutFragment(url), link]));
  } catch {
    return; // without storage a reload needs the link in the address
  }
  tab.history.replaceState(tab.history.state, '', url.href);
}

/** Forgets a link that was refused: the person may be admitted without it. */
export function forgetLink(tab: Tab = window): void {
  try {
    tab.sessionStorage.removeItem(KEY);
  } catch {
    // Without storage there is no link.
  }
}

function stored(tab: Tab): readonly [address?: string, link?: string] {
  try {
    const value: unknown = JSON.parse(tab.sessionStorage.getItem(KEY) ?? '[]');
    const [address, link]: unknown[] = Array.isArray(value) ? (value as unknown[]) : [];
    return typeof address === 'string' && typeof link === 'string' ? [address, link] : [];
  } catch {
    return [];
  }
}

function withoutFragment(url: URL): string {
  return `${url.origin}${url.pathname}${url.search}`;
}
