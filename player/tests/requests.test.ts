import { describe, expect, it } from 'vitest';
import { MAX_VALUE_LENGTH, parseMessage } from '../src/embed/requests';

const ask = (fields: object): ReturnType<typeof parseMessage> => parseMessage({ pixelfleet: 1, id: 7, ...fields });

describe('parseMessage', () => {
  it.each([undefined, null, 0, 'text', [], {}, { type: 'webpackOk' }, { invoke: 5 }, { invoke: 'f', args: 'x' }])(
    'ignores unrelated messages: %j',
    (data) => {
      expect(parseMessage(data)).toEqual({ kind: 'none' });
    },
  );

  it.each([
    [{ method: 'state' }, { method: 'state' }],
    [{ method: 'stats' }, { method: 'stats' }],
    [{ method: 'retry' }, { method: 'retry' }],
    [{ method: 'leave' }, { method: 'leave' }],
    [{ method: 'screenshot' }, { method: 'screenshot' }],
    [{ method: 'mute', muted: true }, { method: 'mute', muted: true }],
    [{ method: 'fullscreen', on: false }, { method: 'fullscreen', on: false }],
    [{ method: 'quality', quality: 'auto' }, { method: 'quality', quality: 'auto' }],
    [{ method: 'quality', quality: 'low' }, { method: 'quality', quality: 'low' }],
    [{ method: 'token', token: 'a.b.c' }, { method: 'token', token: 'a.b.c' }],
    [{ method: 'watch', stats: true }, { method: 'watch', stats: true }],
    [{ method: 'interact', value: { a: 1 } }, { method: 'interact', value: { a: 1 } }],
    [{ method: 'interact', value: 'text' }, { method: 'interact', value: 'text' }],
    [{ method: 'control', action: 'level/load' }, { method: 'control', action: 'level/load' }],
    [
      { method: 'control', action: 'level/load', payload: [1] },
      { method: 'control', action: 'level/load', payload: [1] },
    ],
  ])('parses %j', (fields, request) => {
    expect(ask(fields)).toEqual({ kind: 'request', id: 7, request });
  });

  it.each([
    [{}, 'unknown method'],
    [{ method: 'toString' }, 'unknown method'],
    [{ pixelfleet: 2, method: 'state' }, 'unsupported version: this page uses version 1'],
    [{ method: 'watch' }, 'watch: "stats" must be true or false'],
    [{ method: 'mute' }, 'mute: "muted" must be true or false'],
    [{ method: 'fullscreen', on: 1 }, 'fullscreen: "on" must be true or false'],
    [{ method: 'quality', quality: 'toString' }, 'quality: "quality" must be "auto", "high", "medium" or "low"'],
    [{ method: 'interact' }, 'interact: "value" must be'],
    [{ method: 'interact', value: null }, 'interact: "value" must be'],
    [{ method: 'interact', value: 'x'.repeat(MAX_VALUE_LENGTH) }, 'interact: "value" must be'],
    [{ method: 'interact', value: { big: 1n } }, 'interact: "value" must be'],
    [{ method: 'control' }, 'control: "action" must be'],
    [{ method: 'control', action: '' }, 'control: "action" must be'],
    [{ method: 'control', action: 'x'.repeat(513) }, 'control: "action" must be'],
    [{ method: 'control', action: 'a', payload: 'x'.repeat(MAX_VALUE_LENGTH) }, 'control: "payload" must be'],
  ])('rejects an invalid request (%#)', (fields, problem) => {
    expect(ask(fields)).toMatchObject({ kind: 'invalid', id: 7, problem: expect.stringContaining(problem) as string });
  });

  it('rejects a circular reference', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(ask({ method: 'interact', value: circle }).kind).toBe('invalid');
    expect(parseMessage({ invoke: 'f', args: [circle] })).toEqual({ kind: 'none' });
  });

  it.each([
    ['a', 'a'],
    [1.5, 1.5],
    ['x'.repeat(65), undefined],
    [{}, undefined],
  ])('accepts an id that is a number or a short string: %j', (id, kept) => {
    expect(ask({ id, method: 'state' })).toMatchObject({ kind: 'request', id: kept });
  });

  it('parses the legacy protocol', () => {
    expect(parseMessage({ invoke: 'emitUIInteraction', args: [{ a: 1 }] })).toEqual({
      kind: 'invoke',
      name: 'emitUIInteraction',
      args: [{ a: 1 }],
    });
    expect(parseMessage({ invoke: 'connect' })).toEqual({ kind: 'invoke', name: 'connect', args: [] });
  });
});
