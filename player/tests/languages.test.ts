import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readBranding } from '../src/page/read_branding';
import { isRightToLeft } from '../src/page/direction';
import { canonicalTag, chooseLanguage } from '../src/page/language_tags';
import { brandingIn, choosePageLanguage, TRANSLATIONS } from '../src/page/languages';
import { SETTINGS_TEXTS } from '../src/settings/texts';
import { DEFAULT_TEXTS, plural, type Texts } from '../src/texts';

const LANGUAGES = Object.keys(TRANSLATIONS);

function translation(language: string): Record<string, string> {
  const file = new URL(`../src/languages/${language}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
}

function placeholders(text: string): readonly string[] {
  return [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();
}

/** The keys of texts.ts, with the plural forms that counts up to 100 have in a language. */
const ENGLISH: Readonly<Record<string, string>> = { ...DEFAULT_TEXTS, ...SETTINGS_TEXTS };

function expectedKeys(language: string): readonly string[] {
  const rules = new Intl.PluralRules(language);
  const categories = new Set(Array.from({ length: 101 }, (_, count) => rules.select(count)));
  categories.delete('other');
  return Object.keys(ENGLISH)
    .flatMap((key) => (key.endsWith('.one') ? [...categories].map((each) => key.replace(/one$/, each)) : key))
    .sort();
}

describe.each(LANGUAGES)('the translation into %s', (language) => {
  const texts = translation(language);

  it('has exactly the English texts, with the plural forms of the language', () => {
    expect(Object.keys(texts).sort()).toEqual(expectedKeys(language));
    expect(texts['page.language']).toBe(language);
  });

  it('has the same placeholders, except for the count of a plural form', () => {
    for (const [key, text] of Object.entries(texts)) {
      const form = /\.(zero|one|two|few|many)$/;
      const english = Object.entries(ENGLISH).find(([name]) => name === key.replace(form, ''))?.[1] ?? '';
      const expected = placeholders(english);
      expect([expected, ...(form.test(key) ? [[]] : [])], `${key}: ${text}`).toContainEqual(placeholders(text));
      expect(text.trim()).toBe(text);
      expect(text.length).toBeLessThanOrEqual(400);
    }
  });

  it('isolates Latin values in a text from right to left', () => {
    const names = isRightToLeft(language) ? ['shortcut', 'codec', 'error', 'link', 'reason', 'name'] : [];
    for (const [key, text] of Object.entries(texts)) {
      for (const name of names.filter((each) => text.includes(`{${each}}`))) {
        expect(text, key).toContain(`\u2068{${name}}\u2069`);
      }
    }
  });
});

describe('TRANSLATIONS', () => {
  it('has ten languages besides English, one of them from right to left', () => {
    expect(LANGUAGES).toEqual(['ar', 'de', 'es', 'fr', 'it', 'ja', 'ko', 'nl', 'pt-BR', 'zh-CN']);
    expect(LANGUAGES.filter(isRightToLeft)).toEqual(['ar']);
  });
});

describe('chooseLanguage', () => {
  const bundled = ['en', ...LANGUAGES];

  it.each<[string[], string | undefined]>([
    [['de'], 'de'],
    [['DE-at'], 'de'],
    [['es-MX', 'en'], 'es'],
    [['ar-EG'], 'ar'],
    [['pt'], 'pt-BR'],
    [['pt-PT'], 'pt-BR'],
    [['zh'], 'zh-CN'],
    [['zh-Hans'], 'zh-CN'],
    [['zh-SG'], 'zh-CN'],
    [['zh-TW', 'ja'], 'ja'],
    [['zh-Hant-HK'], undefined],
    [['en-GB', 'de'], 'en'],
    [['tlh', 'fr-CA', 'de'], 'fr'],
    [['', '*', 'no tag', '../de', 'nl'], 'nl'],
    [['xx'], undefined],
    [[], undefined],
  ])('returns for %j: %s', (wanted, expected) => {
    expect(chooseLanguage(wanted, bundled)).toBe(expected);
  });

  it('prefers the exact language, then a general one, then one of the same region', () => {
    expect(chooseLanguage(['pt-BR'], ['pt-PT', 'pt', 'pt-BR'])).toBe('pt-BR');
    expect(chooseLanguage(['pt-AO'], ['pt-PT', 'pt', 'pt-BR'])).toBe('pt');
    expect(chooseLanguage(['pt'], ['pt-PT', 'pt-BR'])).toBe('pt-BR');
  });
});

describe('canonicalTag', () => {
  it.each([
    ['DE-at', 'de-AT'],
    ['not a tag', undefined],
    ['', undefined],
    ['toString', 'tostring'],
  ])('of %s is %s', (text, expected) => {
    expect(canonicalTag(text)).toBe(expected);
  });
});

describe('choosePageLanguage', () => {
  const bundled = ['en', ...LANGUAGES];
  const choose = (wanted: { asked?: string; preferred: readonly string[] }, document: unknown): unknown =>
    choosePageLanguage(wanted, readBranding(document, () => undefined), bundled);

  it('follows ?lang=, then branding.json, then the browser', () => {
    expect(choose({ preferred: ['fr'] }, {})).toEqual({ page: 'fr', bundled: 'fr' });
    expect(choose({ preferred: ['fr'] }, { language: 'de' })).toEqual({ page: 'de', bundled: 'de' });
    expect(choose({ asked: 'ja', preferred: ['fr'] }, { language: 'de' })).toEqual({ page: 'ja', bundled: 'ja' });
    expect(choose({ asked: 'xx', preferred: ['fr'] }, {})).toEqual({ page: 'fr', bundled: 'fr' });
    expect(choose({ preferred: ['xx'] }, {})).toEqual({ page: 'en', bundled: 'en' });
  });

  it('uses the languages that branding.json adds', () => {
    const document = { translations: { sv: { 'action.play': 'Spela' }, 'de-CH': {} } };
    expect(choose({ preferred: ['sv-FI', 'de'] }, document)).toEqual({ page: 'sv', bundled: 'en' });
    expect(choose({ preferred: ['de-CH'] }, document)).toEqual({ page: 'de-CH', bundled: 'de' });
    expect(choose({ preferred: ['de'] }, { language: 'he' })).toEqual({ page: 'he', bundled: 'en' });
  });
});

describe('brandingIn', () => {
  const texts = (page: string, document: unknown): Texts =>
    brandingIn(page, readBranding(document, () => undefined), page === 'en' ? {} : translation(page)).texts;

  it('puts the texts of the operator over those of the language, and these over the English ones', () => {
    const document = {
      name: 'Acme',
      texts: { 'action.play': 'Go', 'action.reload': 'Again' },
      translations: { de: { 'action.play': 'Los' } },
    };
    expect(texts('de', document)).toMatchObject({
      'page.name': 'Acme',
      'page.language': 'de',
      'action.play': 'Los',
      'action.reload': 'Again',
      'action.try-now': 'Jetzt versuchen',
    });
    expect(texts('fr', document)).toMatchObject({ 'page.name': 'Acme', 'action.play': 'Go', 'action.try-now': 'Essayer maintenant' });
  });

  it('uses texts that are in one language in that language only', () => {
    const document = { name: 'Acme', language: 'de', texts: { 'action.play': 'Los' } };
    expect(texts('de', document)['action.play']).toBe('Los');
    expect(texts('fr', document)).toMatchObject({ 'page.name': 'Acme', 'action.play': 'Lire' });
  });

  it('shows English where a translation is missing', () => {
    expect(brandingIn('de', readBranding({}, () => undefined), {}).texts).toEqual({ ...DEFAULT_TEXTS, 'page.language': 'de' });
  });
});

describe('plural', () => {
  it.each([
    ['en', 1, 'One person is ahead of you.'],
    ['en', 2, '2 people are ahead of you.'],
    ['ja', 1, '前に 1 人います。'],
    ['ar', 1, 'أمامك شخص واحد.'],
    ['ar', 2, 'أمامك شخصان.'],
    ['ar', 5, 'أمامك 5 أشخاص.'],
    ['ar', 11, 'أمامك 11 شخصًا.'],
    ['ar', 100, 'أمامك 100 شخص.'],
  ])('in %s, of %d, is %s', (language, count, expected) => {
    const own = language === 'en' ? {} : translation(language);
    expect(plural('queued.say.ahead', count, { ...DEFAULT_TEXTS, ...own })).toBe(expected);
  });
});

describe('isRightToLeft', () => {
  it.each([['ar', true], ['he-IL', true], ['fa', true], ['az-Arab', true], ['de', false], ['zh-CN', false]])(
    'of %s is %s',
    (tag, expected) => {
      expect(isRightToLeft(tag)).toBe(expected);
    },
  );
});
