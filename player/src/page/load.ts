import type { TextOverrides } from '../texts';
import { NO_BRANDING, type Branding, type BrandingDocument } from './branding';
import { brandingIn, choosePageLanguage, DEFAULT_LANGUAGE, TRANSLATIONS } from './languages';
import { DEFAULT_PAGE_SETTINGS, readPageSettings, type PageSettings } from './page_settings';
import type { Warn } from './fields';

/** How long the page waits for a document before it continues without it, in milliseconds. */
const LOAD_TIMEOUT = 5_000;

/** Loads `branding.json` from the page's own path, and at the same time the texts in the visitor's language. */
export async function loadBranding(warn: Warn): Promise<Branding> {
  const asked = new URLSearchParams(location.search).get('lang');
  const wanted = { ...(asked !== null && { asked }), preferred: navigator.languages };
  const bundled = [DEFAULT_LANGUAGE, ...Object.keys(TRANSLATIONS)];
  const expected = choosePageLanguage(wanted, NO_BRANDING, bundled).bundled;
  const translation = loadTranslation(expected, warn);
  const document = await loadBrandingDocument(warn);
  const language = choosePageLanguage(wanted, document, bundled);
  // It is another one only if branding.json sets the language of the page.
  const texts = language.bundled === expected ? translation : loadTranslation(language.bundled, warn);
  return brandingIn(language.page, document, await texts);
}

/** Loads `branding.json`. The module that validates it is loaded only for a document with content. */
async function loadBrandingDocument(warn: Warn): Promise<BrandingDocument> {
  const document = await load('branding.json', warn);
  if (document === undefined || JSON.stringify(document) === '{}') {
    return NO_BRANDING;
  }
  try {
    return (await import('./read_branding')).readBranding(document, warn);
  } catch (error) {
    warn(`branding.json: ${String(error)}`); // the page was replaced by another version meanwhile
    return NO_BRANDING;
  }
}

/** Loads the texts of a bundled language; returns none for English, and if the file is missing. */
async function loadTranslation(language: string, warn: Warn): Promise<TextOverrides> {
  const url = TRANSLATIONS[language];
  const document = url === undefined ? undefined : await load(url, warn);
  return document ?? {}; // a file of the build, which the tests check
}

/** Loads `page.json` from the page's own path. */
export async function loadPageSettings(warn: Warn): Promise<PageSettings> {
  const document = await load('page.json', warn);
  return document === undefined ? DEFAULT_PAGE_SETTINGS : readPageSettings(document, warn);
}

/** Returns the parsed document, or undefined if it is missing: all documents are optional. */
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
