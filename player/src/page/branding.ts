import { DEFAULT_TEXTS, isTextKey, type TextKey, type Texts } from '../texts';
import { colour, COLOURS, contrast, readableOn, type Colour, type Scheme } from './colours';
import { objectFields, warnUnknownFields, type Warn } from './fields';

/** How a page looks and speaks: the document `branding.json`, read. */
export interface Branding {
  /** The language of the texts, as in `<html lang>`. */
  readonly language: string;
  /** Where the logo is, relative to the page, for each scheme. */
  readonly logo: Partial<Readonly<Record<Scheme, string>>>;
  readonly colours: Readonly<Record<Scheme, Partial<Readonly<Record<Colour, string>>>>>;
  readonly texts: Texts;
}

/** What holds where there is no document. */
export const DEFAULT_BRANDING: Branding = { language: 'en', logo: {}, colours: { light: {}, dark: {} }, texts: DEFAULT_TEXTS };

/** The longest text that is taken. */
const LONGEST_TEXT = 400;

/** What text needs to be read on its ground, as WCAG 2 AA asks. */
const READABLE = 4.5;

/**
 * Reads `branding.json`. A part that is wrong is left out and complained of, and the rest is used.
 *
 * @param document - the parsed document, or whatever came in its place
 */
export function readBranding(document: unknown, warn: Warn): Branding {
  const wrong: Warn = (problem) => {
    warn(`branding.json: ${problem}`);
  };
  const fields = objectFields(document, 'document', wrong);
  warnUnknownFields(fields, ['name', 'language', 'logo', 'colours', 'texts'], '', wrong);
  return {
    language: language(fields['language'], wrong),
    logo: logo(fields['logo'], wrong),
    colours: colours(fields['colours'], wrong),
    texts: { ...texts(fields['texts'], wrong), ...name(fields['name'], wrong) },
  };
}

function language(value: unknown, warn: Warn): string {
  if (value !== undefined && (typeof value !== 'string' || !/^[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}$/i.test(value))) {
    warn('language: must be a language tag such as "de" or "pt-BR"');
    return DEFAULT_BRANDING.language;
  }
  return value ?? DEFAULT_BRANDING.language;
}

function name(value: unknown, warn: Warn): { 'page.name'?: string } {
  const words = value === undefined ? undefined : plainText(value, 'name', warn);
  return words === undefined ? {} : { 'page.name': words };
}

function logo(value: unknown, warn: Warn): Branding['logo'] {
  if (typeof value === 'string') {
    const file = image(value, 'logo', warn);
    return file === undefined ? {} : { light: file, dark: file };
  }
  const fields = objectFields(value, 'logo', warn);
  warnUnknownFields(fields, ['light', 'dark'], 'logo.', warn);
  const files: Partial<Record<Scheme, string>> = {};
  for (const scheme of ['light', 'dark'] as const) {
    const file = fields[scheme] === undefined ? undefined : image(fields[scheme], `logo.${scheme}`, warn);
    if (file !== undefined) {
      files[scheme] = file;
    }
  }
  return files;
}

/** A file name, and never an address: the page asks no other host for anything. */
function image(value: unknown, where: string, warn: Warn): string | undefined {
  if (typeof value === 'string' && /^[\w-][\w.-]{0,99}\.(svg|png|webp|jpe?g)$/i.test(value)) {
    return `branding/${value}`;
  }
  warn(`${where}: must be the name of an SVG, PNG, WebP or JPEG file beside branding.json`);
  return undefined;
}

function colours(value: unknown, warn: Warn): Branding['colours'] {
  const fields = objectFields(value, 'colours', warn);
  warnUnknownFields(fields, ['light', 'dark'], 'colours.', warn);
  return { light: palette(fields['light'], 'light', warn), dark: palette(fields['dark'], 'dark', warn) };
}

function palette(value: unknown, scheme: Scheme, warn: Warn): Partial<Record<Colour, string>> {
  const where = `colours.${scheme}`;
  const fields = objectFields(value, where, warn);
  warnUnknownFields(fields, COLOURS, `${where}.`, warn);
  const taken: Partial<Record<Colour, string>> = {};
  for (const part of COLOURS) {
    const hex = colour(fields[part]);
    if (hex !== undefined) {
      taken[part] = hex;
    } else if (fields[part] !== undefined) {
      warn(`${where}.${part}: must be a colour such as "#0a58ca"`);
    }
  }
  if (taken.accent !== undefined) {
    taken.onAccent ??= readableOn(taken.accent);
  }
  for (const [front, back] of [['text', 'ground'], ['muted', 'ground'], ['onAccent', 'accent']] as const) {
    const [one, other] = [taken[front], taken[back]];
    if (one !== undefined && other !== undefined && contrast(one, other) < READABLE) {
      warn(`${where}: ${front} is hard to read on ${back} (below ${String(READABLE)} to 1)`);
    }
  }
  return taken;
}

function texts(value: unknown, warn: Warn): Texts {
  const taken: Partial<Record<TextKey, string>> = {};
  for (const [key, words] of Object.entries(objectFields(value, 'texts', warn))) {
    if (!isTextKey(key)) {
      warn(`texts.${key}: no such text`);
      continue;
    }
    const read = plainText(words, `texts.${key}`, warn);
    if (read !== undefined) {
      taken[key] = read;
    }
  }
  return { ...DEFAULT_TEXTS, ...taken };
}

function plainText(value: unknown, where: string, warn: Warn): string | undefined {
  if (typeof value !== 'string' || value.trim() === '' || value.length > LONGEST_TEXT) {
    warn(`${where}: must be a text of 1 to ${String(LONGEST_TEXT)} characters`);
    return undefined;
  }
  return value.trim();
}
