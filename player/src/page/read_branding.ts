import { optional } from '../optional';
import { isTextKey, type TextOverrides } from '../texts';
import type { BrandingDocument } from './branding';
import { COLOURS, contrast, parseColour, readableOn, type Colour, type Scheme } from './colours';
import { objectFields, warnUnknownFields, type Warn } from './fields';
import { canonicalTag } from './language_tags';

/** The longest allowed text, in characters. */
const MAX_TEXT_LENGTH = 400;

/** The lowest contrast of text and background that WCAG 2 AA allows. */
const MIN_CONTRAST = 4.5;

/**
 * Validates `branding.json`. An invalid part is ignored with a warning, and the rest is used.
 *
 * @param document - the parsed JSON, untrusted
 */
export function readBranding(document: unknown, warn: Warn): BrandingDocument {
  const warnHere: Warn = (problem) => {
    warn(`branding.json: ${problem}`);
  };
  const fields = objectFields(document, 'document', warnHere);
  warnUnknownFields(fields, ['name', 'language', 'logo', 'colours', 'texts', 'translations'], '', warnHere);
  return {
    ...optional('language', language(fields['language'], warnHere)),
    logo: logo(fields['logo'], warnHere),
    colours: colours(fields['colours'], warnHere),
    texts: { ...texts(fields['texts'], 'texts', warnHere), ...pageName(fields['name'], warnHere) },
    translations: translations(fields['translations'], warnHere),
  };
}

function language(value: unknown, warn: Warn): string | undefined {
  const tag = typeof value === 'string' ? canonicalTag(value) : undefined;
  if (value !== undefined && tag === undefined) {
    warn('language: must be a language tag such as "de" or "pt-BR"');
  }
  return tag;
}

function pageName(value: unknown, warn: Warn): { 'page.name'?: string } {
  const name = value === undefined ? undefined : validText(value, 'name', warn);
  return name === undefined ? {} : { 'page.name': name };
}

function logo(value: unknown, warn: Warn): BrandingDocument['logo'] {
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

/** Accepts a file name and no URL: the page sends no requests to other hosts. */
function image(value: unknown, where: string, warn: Warn): string | undefined {
  if (typeof value === 'string' && /^[\w-][\w.-]{0,99}\.(svg|png|webp|jpe?g)$/i.test(value)) {
    return `branding/${value}`;
  }
  warn(`${where}: must be the name of an SVG, PNG, WebP or JPEG file beside branding.json`);
  return undefined;
}

function colours(value: unknown, warn: Warn): BrandingDocument['colours'] {
  const fields = objectFields(value, 'colours', warn);
  warnUnknownFields(fields, ['light', 'dark'], 'colours.', warn);
  return { light: palette(fields['light'], 'light', warn), dark: palette(fields['dark'], 'dark', warn) };
}

function palette(value: unknown, scheme: Scheme, warn: Warn): Partial<Record<Colour, string>> {
  const where = `colours.${scheme}`;
  const fields = objectFields(value, where, warn);
  warnUnknownFields(fields, COLOURS, `${where}.`, warn);
  const accepted: Partial<Record<Colour, string>> = {};
  for (const part of COLOURS) {
    const hex = parseColour(fields[part]);
    if (hex !== undefined) {
      accepted[part] = hex;
    } else if (fields[part] !== undefined) {
      warn(`${where}.${part}: must be a colour such as "#0a58ca"`);
    }
  }
  if (accepted.accent !== undefined) {
    accepted.onAccent ??= readableOn(accepted.accent);
  }
  for (const [front, back] of [['text', 'ground'], ['muted', 'ground'], ['onAccent', 'accent']] as const) {
    const [one, other] = [accepted[front], accepted[back]];
    if (one !== undefined && other !== undefined && contrast(one, other) < MIN_CONTRAST) {
      warn(`${where}: the contrast of ${front} on ${back} is below ${String(MIN_CONTRAST)}:1`);
    }
  }
  return accepted;
}

function translations(value: unknown, warn: Warn): BrandingDocument['translations'] {
  const accepted: Record<string, TextOverrides> = {};
  for (const [name, translation] of Object.entries(objectFields(value, 'translations', warn))) {
    const tag = canonicalTag(name);
    if (tag === undefined) {
      warn(`translations.${name}: the key must be a language tag such as "de" or "pt-BR"`);
    } else {
      accepted[tag] = texts(translation, `translations.${name}`, warn);
    }
  }
  return accepted;
}

function texts(value: unknown, where: string, warn: Warn): TextOverrides {
  const accepted: Record<string, string> = {};
  for (const [key, text] of Object.entries(objectFields(value, where, warn))) {
    if ((!isTextKey(key) && !isSettingsKey(key)) || key === 'page.language') {
      warn(`${where}.${key}: unknown text`);
      continue;
    }
    const valid = validText(text, `${where}.${key}`, warn);
    if (valid !== undefined) {
      accepted[key] = valid;
    }
  }
  return accepted;
}

function validText(value: unknown, where: string, warn: Warn): string | undefined {
  if (typeof value !== 'string' || value.trim() === '' || value.length > MAX_TEXT_LENGTH) {
    warn(`${where}: must be a string of 1 to ${String(MAX_TEXT_LENGTH)} characters`);
    return undefined;
  }
  return value.trim();
}

/** The texts of the settings are not loaded yet, so their keys are known by their prefix alone. */
function isSettingsKey(key: string): boolean {
  return key.startsWith('settings.');
}
