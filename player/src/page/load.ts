import { DEFAULT_BRANDING, readBranding, type Branding } from './branding';
import type { PageSettings } from './page_settings';
import type { Warn } from './fields';

/** How long the page waits for a document before it continues without it, in milliseconds. */
const LOAD_TIMEOUT = 5_000;

/** Loads `branding.json` from the page's own path. */
export async function loadBranding(warn: Warn): Promise<Branding> {
  const document = await load('branding.json', warn);
  return document === undefined ? DEFAULT_BRANDING : readBranding(document, warn);
}

/** Loads `page.json` from the page's own path, and the module that reads it. */
export async function loadPageSettings(warn: Warn): Promise<PageSettings> {
  const [document, reader] = await Promise.all([load('page.json', warn), import('./page_settings')]);
  const { DEFAULT_PAGE_SETTINGS, readPageSettings } = reader;
  return document === undefined ? DEFAULT_PAGE_SETTINGS : readPageSettings(document, warn);
}

/** Returns the parsed document, or undefined if it is missing: both documents are optional. */
async function load(name: string, warn: Warn): Promise<unknown> {
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
