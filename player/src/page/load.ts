import { optional } from '../optional';
import { DEFAULT_BRANDING, type Branding } from './branding';
import type { PageSettings } from './page_settings';
import type { Warn } from './fields';

/** How long the page waits for a document before it continues without it, in milliseconds. */
const LOAD_TIMEOUT = 5_000;

/**
 * Loads `branding.json` from the page's own path, and the texts in the visitor's language.
 *
 * English is a part of the page: a visitor who reads English, on a page without branding, loads nothing else.
 */
export async function loadBranding(warn: Warn): Promise<Branding> {
  const asked = new URLSearchParams(location.search).get('lang') ?? undefined;
  const document = loadDocument('branding.json', warn);
  if (/^en\b/i.test(asked ?? navigator.language) && JSON.stringify((await document) ?? {}) === '{}') {
    return DEFAULT_BRANDING;
  }
  try {
    const { localizedBranding } = await import('./localized_branding');
    return await localizedBranding(document, { ...optional('asked', asked), preferred: navigator.languages }, warn);
  } catch (error) {
    warn(`language: ${String(error)}`); // the file is missing: the server has another version of the page by now
    return DEFAULT_BRANDING;
  }
}

/** Loads `page.json` from the page's own path, and the module that reads it. */
export async function loadPageSettings(warn: Warn): Promise<PageSettings> {
  const [document, reader] = await Promise.all([loadDocument('page.json', warn), import('./page_settings')]);
  const { DEFAULT_PAGE_SETTINGS, readPageSettings } = reader;
  return document === undefined ? DEFAULT_PAGE_SETTINGS : readPageSettings(document, warn);
}

/** Returns the parsed document, or undefined if it is missing: all documents are optional. */
export async function loadDocument(name: string, warn: Warn): Promise<unknown> {
  try {
    const response = await fetch(name, { priority: 'low', signal: AbortSignal.timeout(LOAD_TIMEOUT) });
    if (response.ok) {
      return (await response.json()) as unknown;
    }
    if (response.status !== 404) {
      warn(`${name}: HTTP ${String(response.status)}`);
    }
  } catch (error) {
    warn(`${name}: ${String(error)}`);
  }
  return undefined;
}
