import { DEFAULT_TEXTS, type TextOverrides, type Texts } from '../texts';
import type { Colour, Scheme } from './colours';

/** Logo, colours and texts of the page. */
export interface Branding {
  /** The path of the logo, relative to the page, for each colour scheme. */
  readonly logo: Partial<Readonly<Record<Scheme, string>>>;
  readonly colours: Readonly<Record<Scheme, Partial<Readonly<Record<Colour, string>>>>>;
  readonly texts: Texts;
}

/** The parsed document `branding.json`. */
export interface BrandingDocument extends Pick<Branding, 'logo' | 'colours'> {
  /** The language of the page and of `texts`; undefined for the visitor's language. */
  readonly language?: string;
  /** Texts and the name of the page, for all languages if `language` is undefined. */
  readonly texts: TextOverrides;
  /** Texts by language tag. */
  readonly translations: Readonly<Record<string, TextOverrides>>;
}

/** The branding of a page without a `branding.json`. */
export const DEFAULT_BRANDING: Branding = { logo: {}, colours: { light: {}, dark: {} }, texts: DEFAULT_TEXTS };
