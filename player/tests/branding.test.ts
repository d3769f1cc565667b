import { describe, expect, it } from 'vitest';
import { readBranding } from '../src/page/read_branding';
import { contrast, parseColour, readableOn } from '../src/page/colours';

const EMPTY = { logo: {}, colours: { light: {}, dark: {} }, texts: {}, translations: {} };

function read(document: unknown): { branding: ReturnType<typeof readBranding>; problems: string[] } {
  const problems: string[] = [];
  const branding = readBranding(document, (problem) => problems.push(problem));
  return { branding, problems };
}

describe('readBranding', () => {
  it('returns nothing for an empty document', () => {
    expect(read({})).toEqual({ branding: EMPTY, problems: [] });
  });

  it('accepts name, language, logo, colours, texts and translations', () => {
    const { branding, problems } = read({
      name: ' Acme Studio ',
      language: 'pt-BR',
      logo: { light: 'logo.svg', dark: 'logo-dark.svg' },
      colours: { light: { accent: '#A30' }, dark: { accent: '#ffb48f', ground: '#101010' } },
      texts: { 'connecting.title': 'A ligar' },
      translations: { 'ES-mx': { 'queued.say.ahead.many': '{count} delante' } },
    });
    expect(problems).toEqual([]);
    expect(branding.texts).toEqual({ 'page.name': 'Acme Studio', 'connecting.title': 'A ligar' });
    expect(branding.translations).toEqual({ 'es-MX': { 'queued.say.ahead.many': '{count} delante' } });
    expect(branding.language).toBe('pt-BR');
    expect(branding.logo).toEqual({ light: 'branding/logo.svg', dark: 'branding/logo-dark.svg' });
    expect(branding.colours.light).toEqual({ accent: '#aa3300', onAccent: '#ffffff' });
    expect(branding.colours.dark).toEqual({ accent: '#ffb48f', onAccent: '#0b0e14', ground: '#101010' });
  });

  it('accepts one logo for both colour schemes', () => {
    expect(read({ logo: 'l.png' }).branding.logo).toEqual({ light: 'branding/l.png', dark: 'branding/l.png' });
  });

  it.each([
    'https://evil.test/logo.svg',
    '//evil.test/logo.svg',
    '../logo.svg',
    'a/logo.svg',
    'logo.js',
    '.svg',
    'data:image/svg+xml,x.svg',
    7,
  ])('rejects a logo that is not a file name: %s', (logo) => {
    const { branding, problems } = read({ logo: { light: logo } });
    expect(branding.logo).toEqual({});
    expect(problems).toHaveLength(1);
  });

  it.each<[unknown, string]>([
    [[], 'document: must be an object'],
    [{ colors: {} }, 'colors: unknown field'],
    [{ language: 'not a tag' }, 'language: must be a language tag such as "de" or "pt-BR"'],
    [{ colours: { light: { accent: 'red; x: y' } } }, 'colours.light.accent: must be a colour such as "#0a58ca"'],
    [{ colours: { light: { link: '#fff' } } }, 'colours.light.link: unknown field'],
    [{ texts: { 'no.such': 'x' } }, 'texts.no.such: unknown text'],
    [{ texts: { 'action.play': '' } }, 'texts.action.play: must be a string of 1 to 400 characters'],
    [{ texts: { 'action.play': 'x'.repeat(401) } }, 'texts.action.play: must be a string of 1 to 400 characters'],
    [{ texts: { 'action.play.many': 'x' } }, 'texts.action.play.many: unknown text'],
    [{ texts: { 'page.language': 'not a tag' } }, 'texts.page.language: unknown text'],
    [{ translations: { 'no tag': {} } }, 'translations.no tag: the key must be a language tag such as "de" or "pt-BR"'],
    [{ translations: { de: { 'no.such': 'x' } } }, 'translations.de.no.such: unknown text'],
    [{ translations: { de: [] } }, 'translations.de: must be an object'],
    [{ name: 5 }, 'name: must be a string of 1 to 400 characters'],
    [
      { colours: { dark: { text: '#333333', ground: '#222222' } } },
      'colours.dark: the contrast of text on ground is below 4.5:1',
    ],
  ])('warns of %j and uses the rest', (document, problem) => {
    const { branding, problems } = read(document);
    expect(problems).toEqual([`branding.json: ${problem}`]);
    expect(branding.texts).toEqual({});
  });
});

describe('colours', () => {
  it.each([
    ['#ABC', '#aabbcc'],
    ['#0a58ca', '#0a58ca'],
    ['#0a58c', undefined],
    ['red', undefined],
    ['#0a58ca;}', undefined],
    [null, undefined],
  ])('parses %s', (value, parsed) => {
    expect(parseColour(value)).toBe(parsed);
  });

  it('computes the WCAG contrast ratio', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
    expect(readableOn('#ffee00')).toBe('#0b0e14');
    expect(readableOn('#0a2a6a')).toBe('#ffffff');
  });
});
