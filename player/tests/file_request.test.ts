import { describe, expect, it } from 'vitest';
import { accepts, DEFAULT_BYTES, fileMessages, MAX_BYTES, PART_BYTES, parseFileRequest } from '../src/files/file_request';

describe('parseFileRequest', () => {
  it.each(['', 'text', '[]', '{"pixelfleet": "other"}', 'null'])('ignores other responses: %s', (text) => {
    expect(parseFileRequest(text)).toBeUndefined();
  });

  it('ends a request unless files are accepted', () => {
    expect(parseFileRequest('{"pixelfleet": "files", "accept": 1}')).toBe('none');
  });

  it.each([
    [undefined, DEFAULT_BYTES],
    [-1, DEFAULT_BYTES],
    [5_000.5, 5_000],
    [1e12, MAX_BYTES],
  ])('limits the size: %s', (maxBytes, expected) => {
    const text = JSON.stringify({ pixelfleet: 'files', accept: true, maxBytes });
    expect(parseFileRequest(text)).toEqual({ types: [], maxBytes: expected });
  });

  it('takes media types only', () => {
    const text = JSON.stringify({ pixelfleet: 'files', accept: true, types: ['image/*', '.exe', 3, 'text/plain'] });
    expect(parseFileRequest(text)).toMatchObject({ types: ['image/*', 'text/plain'] });
  });
});

describe('accepts', () => {
  it.each([
    [10, 'image/png', true],
    [11, 'image/png', false],
    [10, 'text/plain', false],
    [10, '', false],
  ])('compares size and type: %i, %s', (size, type, expected) => {
    expect(accepts({ types: ['image/*'], maxBytes: 10 }, { size, type })).toBe(expected);
  });
});

describe('fileMessages', () => {
  it('contain the whole file, in messages that fit the data channel', () => {
    const content = Uint8Array.from({ length: 2 * PART_BYTES + 1 }, (_, at) => at % 251);
    const messages = [...fileMessages(3, { name: 'a.bin', type: '' }, content)];
    const parts = messages.slice(1, -1).map(({ data }) => atob(String(data)));
    expect(messages[0]).toMatchObject({ pixelfleet: 'file', file: 3, size: content.length, parts: 3 });
    expect(Uint8Array.from(parts.join(''), (unit) => unit.charCodeAt(0))).toEqual(content);
    // UTF-16 doubles each character.
    expect(Math.max(...messages.map((message) => 2 * JSON.stringify(message).length))).toBeLessThan(64 * 1024);
  });
});
