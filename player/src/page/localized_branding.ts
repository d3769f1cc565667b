/** The branding in the visitor's language. This module is loaded only for another language or a `branding.json`. */
import type { TextOverrides } from '../texts';
import type { Branding } from './branding';
import type { Warn } from './fields';
import { brandingIn, choosePageLanguage, DEFAULT_LANGUAGE, TRANSLATIONS, type WantedLanguages } from './languages';
import { loadDocument } from './load';
import { readBranding } from './read_branding';

/**
 * Returns the branding of a document, and loads the texts of the page's language meanwhile.
 *
 * @param loading - the parsed `branding.json`, untrusted; undefined if it is missing
 */
export async function localizedBranding(
  loading: Promise<unknown>,
  wanted: WantedLanguages,
  warn: Warn,
): Promise<Branding> {
  const bundled = [DEFAULT_LANGUAGE, ...Object.keys(TRANSLATIONS)];
  const expected = choosePageLanguage(wanted, { translations: {} }, bundled).bundled;
  const translation = loadTranslation(expected, warn);
  const document = readBranding(await loading, warn);
  const language = choosePageLanguage(wanted, document, bundled);
  // It is another one only if branding.json sets the language of the page.
  const texts = language.bundled === expected ? translation : loadTranslation(language.bundled, warn);
  return brandingIn(language.page, document, await texts);
}

/** Loads the texts of a bundled language; returns none for English, and if the file is missing. */
async function loadTranslation(language: string, warn: Warn): Promise<TextOverrides> {
  const url = TRANSLATIONS[language];
  const document = url === undefined ? undefined : await loadDocument(url, warn);
  return document ?? {}; // a file of the build, which the tests check
}
