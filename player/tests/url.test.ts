import { describe, expect, it } from 'vitest';
import { signallingUrl } from '../src/connection/url';

describe('signallingUrl', () => {
  it.each([
    ['http://play.test/', 'ws://play.test/ws'],
    ['https://play.test/', 'wss://play.test/ws'],
    ['http://play.test:8080/', 'ws://play.test:8080/ws'],
    ['https://play.test/game/', 'wss://play.test/game/ws'],
    ['https://play.test/game/index.html', 'wss://play.test/game/ws'],
    ['http://[::1]:8080/', 'ws://[::1]:8080/ws'],
  ])('dials beside the page at %s', (page, url) => {
    expect(signallingUrl(page)).toBe(url);
  });

  it("carries the page's query, and leaves its fragment behind", () => {
    const url = signallingUrl('https://play.test/?id=cam%201&app=demo&region=eu#top');
    expect(url).toBe('wss://play.test/ws?id=cam%201&app=demo&region=eu');
  });
});
