import { describe, expect, it } from 'vitest';
import { cleanText, parseMatchmaker, parseSessionLimit, parseSigterm } from '../src/connection/messages';

describe('parseMatchmaker', () => {
  it('parses a position in the queue', () => {
    const message = { queued: true, matched: false, detail: 'hold on', position: 3, ahead: 2, etaSeconds: 41.5 };
    expect(parseMatchmaker(message)).toEqual({
      kind: 'queued',
      position: 3,
      ahead: 2,
      etaSeconds: 41.5,
      text: 'hold on',
    });
  });

  it('parses a message to an unserved player without a position or a text', () => {
    const message = { queued: true, matched: false, detail: 'No streamer offers this', unserved: true, position: 1 };
    expect(parseMatchmaker(message)).toEqual({ kind: 'queued', unserved: true });
  });

  it('parses a message without a position', () => {
    expect(parseMatchmaker({ type: 'matchmaker', queued: true, matched: false })).toEqual({ kind: 'queued' });
  });

  it.each([
    ['legacy', true],
    ['modern', false],
    [undefined, false],
  ])('parses a match, and whether the browser offers for the dialect %s', (dialect, browserOffers) => {
    const message = { queued: false, matched: true, detail: { id: 'a', address: '10.0.0.1', port: 80 }, dialect };
    expect(parseMatchmaker(message)).toEqual({ kind: 'matched', browserOffers });
  });

  it.each([null, undefined, 7, 'text', [], {}])('treats %j as queued without a position', (message) => {
    expect(parseMatchmaker(message)).toEqual({ kind: 'queued' });
  });

  it.each([
    { position: 0 },
    { position: -1 },
    { position: 1.5 },
    { position: '3' },
    { position: Infinity },
    { unserved: 'yes' },
    { ahead: -1 },
    { ahead: null },
    { etaSeconds: -1 },
    { etaSeconds: NaN },
    { etaSeconds: 1e9 },
    { detail: '  \n ' },
    { detail: 'Waiting for a free streamer' },
    { detail: { text: 'no text' } },
  ])('ignores the invalid field %j', (field) => {
    expect(parseMatchmaker({ queued: true, matched: false, ...field })).toEqual({ kind: 'queued' });
  });
});

describe('parseSigterm', () => {
  it("returns the server's reason", () => {
    expect(parseSigterm({ type: 'sigterm', message: 'maintenance at six' })).toBe('maintenance at six');
  });

  it.each([{ message: 'stream will shutdown' }, { message: '' }, { message: 5 }, {}, null])(
    'returns no reason for %j',
    (message) => {
      expect(parseSigterm(message)).toBeUndefined();
    },
  );
});

describe('parseSessionLimit', () => {
  it.each([
    [{ reportSeconds: 10 }, { reportInterval: 10_000 }],
    [{ limit: 'idle', remaining: 59.5 }, { warning: { limit: 'idle', remaining: 59_500 } }],
    [{ limit: 'time', remaining: 0 }, { warning: { limit: 'time', remaining: 0 } }],
    [{}, {}],
    [{ limit: 'mood', remaining: 5 }, {}],
    [{ limit: 'idle' }, {}],
    [{ limit: 'idle', remaining: -1 }, {}],
    [{ reportSeconds: '10' }, {}],
    [null, {}],
  ])('parses %j', (message, parsed) => {
    expect(parseSessionLimit(message)).toEqual(parsed);
  });
});

describe('cleanText', () => {
  it('joins lines', () => {
    expect(cleanText('  two\n\tlines ')).toBe('two lines');
  });

  it('truncates a long text', () => {
    const cut = cleanText('x'.repeat(5000));
    expect(cut).toHaveLength(200);
    expect(cut?.endsWith('…')).toBe(true);
  });
});
