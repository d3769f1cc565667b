import { DEFAULT_TEXTS, type TextOverrides } from '../texts';
import type { Branding, BrandingDocument } from './branding';
import { chooseLanguage } from './language_tags';

/** The language of `DEFAULT_TEXTS`. */
export const DEFAULT_LANGUAGE = DEFAULT_TEXTS['page.language'];

/** The URL of each bundled translation, by language tag. A file in `languages/` is all that a language needs. */
export const TRANSLATIONS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(
    import.meta.glob<string>('../languages/*.json', { eager: true, query: '?url', import: 'default' }),
  ).map(([path, url]) => [path.slice(path.lastIndexOf('/') + 1, -'.json'.length), url]),
);

/** The language of a page, and the bundled texts under those of the operator. */
export interface LanguageChoice {
  /** The language tag of the page. */
  readonly page: string;
  /** The language tag of the bundled texts. */
  readonly bundled: string;
}

/** Chooses among the bundled languages and those of `branding.json`; English when none fits. */
export function choosePageLanguage(
  { asked, preferred }: WantedLanguages,
  branding: Pick<BrandingDocument, 'language' | 'translations'>,
  bundled: readonly string[],
): LanguageChoice {
  const own = [branding.language ?? [], Object.keys(branding.translations)].flat();
  const wanted = [asked ?? [], branding.language ?? preferred].flat();
  const page = chooseLanguage(wanted, [...bundled, ...own]) ?? DEFAULT_LANGUAGE;
  return { page, bundled: chooseLanguage([page], bundled) ?? DEFAULT_LANGUAGE };
}

/** The languages that a visitor wants, as language tags. */
export interface WantedLanguages {
  /** The language of `?lang=`, which has precedence over that of `branding.json`. */
  readonly asked?: string;
  /** The languages of the browser, the preferred one first. */
  readonly preferred: readonly string[];
}

/** Puts the operator's texts over those of the page's language, and these over the English ones. */
export function brandingIn(
  page: string,
  { language, logo, colours, texts, translations }: BrandingDocument,
  translation: TextOverrides,
): Branding {
  const own = chooseLanguage([page], Object.keys(translations));
  // Texts without a language are for all languages.
  const general = language === undefined || chooseLanguage([page], [language]) !== undefined ? texts : {};
  const name = texts['page.name'];
  return {
    logo,
    colours,
    texts: {
      ...DEFAULT_TEXTS,
      ...translation,
      ...(name !== undefined && { 'page.name': name }),
      ...general,
      ...(own !== undefined && translations[own]),
      'page.language': page,
    },
  };
}
