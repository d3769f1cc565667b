import { describe, expect, it } from 'vitest';
import { keyMessagesForEdit } from '../src/input/key_messages';

/** Abbreviates messages: `a` for a character, `v8` for a key press, `^8` for a release. */
const short = (before: string, after: string): string =>
  keyMessagesForEdit(before, after)
    .map(({ message, values: [code] }) => {
      const marks = { KeyDown: 'v', KeyUp: '^', KeyPress: '' } as const;
      return message === 'KeyPress' && code >= 32 ? String.fromCharCode(code) : `${marks[message]}${String(code)}`;
    })
    .join(' ');

describe('keyMessagesForEdit', () => {
  it.each([
    ['', '', ''],
    ['  ', '  hi', 'h i'],
    ['  ', ' ', 'v8 8 ^8'],
    ['hello', 'help', 'v8 8 ^8 v8 8 ^8 p'],
    ['hi', 'hi\n', 'v13 13 ^13'],
    ['teh', 'the', 'v8 8 ^8 v8 8 ^8 h e'],
    ['', 'é', 'é'],
  ])('turns %j into %j: %s', (before, after, messages) => {
    expect(short(before, after)).toBe(messages);
  });

  it('sends a character beyond 16 bits as a surrogate pair', () => {
    expect(keyMessagesForEdit('', '😀').map(({ values }) => values[0])).toEqual([0xd83d, 0xde00]);
  });
});
