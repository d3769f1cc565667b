import { describe, expect, it } from 'vitest';
import { DEFAULT_PAGE_SETTINGS, readPageSettings } from '../src/page/page_settings';

function read(document: unknown): { settings: ReturnType<typeof readPageSettings>; problems: string[] } {
  const problems: string[] = [];
  const settings = readPageSettings(document, (problem) => problems.push(problem));
  return { settings, problems };
}

describe('readPageSettings', () => {
  it('allows nobody anything where nothing is said', () => {
    expect(read({})).toEqual({ settings: DEFAULT_PAGE_SETTINGS, problems: [] });
    expect(read(undefined)).toEqual({ settings: DEFAULT_PAGE_SETTINGS, problems: [] });
  });

  it('takes origins, functions and hosts, each once', () => {
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
    });
  });

  it.each(['*', 'null', 'https://*', 'shop.test', 'https://shop.test/ice_path', 'file:///x', 'https://a@shop.test', '', 7])(
    'takes no parent that is not one origin: %s',
    (parent) => {
      const { settings, problems } = read({ parents: [parent] });
      expect(settings.parents).toEqual([]);
      expect(problems).toHaveLength(1);
    },
  );

  it.each(['*', 'wss://media.test', 'media.test/ws', 'user@media.test', 'media.test:99999', 'a b', ''])(
    'takes no host that is more or less than one: %s',
    (host) => {
      const { settings, problems } = read({ signallingHosts: [host] });
      expect(settings.signallingHosts).toEqual([]);
      expect(problems).toHaveLength(1);
    },
  );

  it('complains of what it does not know, and reads only so much of it', () => {
    expect(read({ origins: [] }).problems).toEqual(['page.json: origins: no such field']);
    expect(read({ parents: 'https://shop.test' }).problems).toEqual(['page.json: parents: must be a list']);
    const many = Array.from({ length: 70 }, (_, at) => `https://shop${String(at)}.test`);
    const { settings, problems } = read({ parents: many });
    expect(settings.parents).toHaveLength(64);
    expect(problems).toEqual(['page.json: parents: only the first 64 are used']);
  });
});
