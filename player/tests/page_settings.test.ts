import { describe, expect, it } from 'vitest';
import { DEFAULT_PAGE_SETTINGS, readPageSettings } from '../src/page/page_settings';

function read(document: unknown): { settings: ReturnType<typeof readPageSettings>; problems: string[] } {
  const problems: string[] = [];
  const settings = readPageSettings(document, (problem) => problems.push(problem));
  return { settings, problems };
}

describe('readPageSettings', () => {
  it('allows nothing by default', () => {
    expect(read({})).toEqual({ settings: DEFAULT_PAGE_SETTINGS, problems: [] });
    expect(read(undefined)).toEqual({ settings: DEFAULT_PAGE_SETTINGS, problems: [] });
  });

  it('accepts origins, functions and hosts, and removes duplicates', () => {
    const { settings, problems } = read({
      parents: ['https://Shop.test', 'http://localhost:3000/', 'https://shop.test'],
      functions: ['emitUIInteraction'],
      signallingHosts: ['Media.test', 'media.test:8443', '127.0.0.1:80', '[::1]:9000'],
    });
    expect(problems).toEqual([]);
    expect(settings).toEqual({
      parents: ['https://shop.test', 'http://localhost:3000'],
      functions: ['emitUIInteraction'],
      signallingHosts: ['media.test', 'media.test:8443', '127.0.0.1:80', '[::1]:9000'],
      signIn: false,
    });
  });

  it('reads whether players sign in', () => {
    expect(read({ signIn: true })).toEqual({ settings: { ...DEFAULT_PAGE_SETTINGS, signIn: true }, problems: [] });
    expect(read({ signIn: 'yes' })).toEqual({
      settings: DEFAULT_PAGE_SETTINGS,
      problems: ['page.json: signIn: must be true or false'],
    });
  });

  it.each(['*', 'null', 'https://*', 'shop.test', 'https://shop.test/ice_path', 'file:///x', 'https://a@shop.test', '', 7])(
    'rejects a parent that is not an origin: %s',
    (parent) => {
      const { settings, problems } = read({ parents: [parent] });
      expect(settings.parents).toEqual([]);
      expect(problems).toHaveLength(1);
    },
  );

  it.each(['*', 'wss://media.test', 'media.test/ws', 'user@media.test', 'media.test:99999', 'a b', ''])(
    'rejects a host that is not a host name with an optional port: %s',
    (host) => {
      const { settings, problems } = read({ signallingHosts: [host] });
      expect(settings.signallingHosts).toEqual([]);
      expect(problems).toHaveLength(1);
    },
  );

  it('warns of unknown fields, wrong types and long lists', () => {
    expect(read({ origins: [] }).problems).toEqual(['page.json: origins: unknown field']);
    expect(read({ parents: 'https://shop.test' }).problems).toEqual(['page.json: parents: must be a list']);
    const many = Array.from({ length: 70 }, (_, at) => `https://shop${String(at)}.test`);
    const { settings, problems } = read({ parents: many });
    expect(settings.parents).toHaveLength(64);
    expect(problems).toEqual(['page.json: parents: only the first 64 are used']);
  });
});
