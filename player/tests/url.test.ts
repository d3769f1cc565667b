import { describe, expect, it } from 'vitest';
import { hasOverride, overriddenUrl, httpUrl, signallingUrl } from '../src/connection/url';

describe('signallingUrl', () => {
  it.each([
    ['http://play.test/', 'ws://play.test/ws'],
    ['https://play.test/', 'wss://play.test/ws'],
    ['http://play.test:8080/', 'ws://play.test:8080/ws'],
    ['https://play.test/game/', 'wss://play.test/game/ws'],
    ['https://play.test/game/index.html', 'wss://play.test/game/ws'],
    ['http://[::1]:8080/', 'ws://[::1]:8080/ws'],
  ])('is relative to the page at %s', (page, url) => {
    expect(signallingUrl(page)).toBe(url);
  });

  it("keeps the page's query, and removes its fragment", () => {
    const url = signallingUrl('https://play.test/?id=cam%201&app=demo&region=eu#top');
    expect(url).toBe('wss://play.test/ws?id=cam%201&app=demo&region=eu');
  });
});

describe('overriddenUrl', () => {
  const HOSTS = ['media.test', 'media.test:8443', 'plain.test:80', '[::1]:9000'];
  const page = (wanted: string, scheme = 'https', rest = ''): string =>
    `${scheme}://play.test/?_ws=${encodeURIComponent(wanted)}${rest}`;

  it('is requested by ?_ws=', () => {
    expect(hasOverride('https://play.test/?app=demo')).toBe(false);
    expect(hasOverride(page('anything'))).toBe(true);
  });

  it.each([
    ['wss://media.test', 'wss://media.test/'],
    ['wss://media.test/deep/ws', 'wss://media.test/deep/ws'],
    ['wss://media.test:443/', 'wss://media.test/'],
    ['wss://MEDIA.test:8443/', 'wss://media.test:8443/'],
    ['wss://[::1]:9000/', 'wss://[::1]:9000/'],
    ['wss://media.test/?a=1#top', 'wss://media.test/?a=1'],
  ])('allows a listed host: %s', (wanted, url) => {
    expect(overriddenUrl(page(wanted), HOSTS)).toBe(url);
  });

  it.each([
    'wss://evil.test/',
    'wss://media.test.evil.test/',
    'wss://media.test@evil.test/',
    'wss://user:secret@media.test/',
    'wss://media.test:444/',
    'wss://evil.test/media.test',
    'wss://evil.test#media.test',
    'wss://evil.test\\@media.test/',
    'https://media.test/',
    'ws://plain.test/',
    'javascript:alert(1)',
    '//media.test/',
    'media.test',
    '',
  ])('rejects everything else on an encrypted page: %s', (wanted) => {
    expect(overriddenUrl(page(wanted), HOSTS)).toBeUndefined();
  });

  it('allows ws only on an http page, and only to a listed port', () => {
    expect(overriddenUrl(page('ws://plain.test/', 'http'), HOSTS)).toBe('ws://plain.test/');
    expect(overriddenUrl(page('ws://media.test/', 'http'), HOSTS)).toBeUndefined();
    expect(overriddenUrl(page('wss://media.test/', 'http'), HOSTS)).toBe('wss://media.test/');
  });

  it("keeps the rest of the page's query", () => {
    expect(overriddenUrl(page('wss://media.test/?a=1', 'https', '&id=cam%201&app=x'), HOSTS)).toBe(
      'wss://media.test/?a=1&id=cam+1&app=x',
    );
  });

  it('allows nothing while no host is listed', () => {
    expect(overriddenUrl(page('wss://media.test/'), [])).toBeUndefined();
  });
});

describe('httpUrl', () => {
  it.each([
    ['ws://play.test/ws?id=1', 'http://play.test/ws?id=1'],
    ['wss://play.test/ws', 'https://play.test/ws'],
  ])('replaces the scheme: %s', (url, expected) => {
    expect(httpUrl(url)).toBe(expected);
  });
});
