import { describe, expect, it } from 'vitest';
import { MAX_KEPT, MAX_KEPT_LENGTH, MessageLine } from '../src/resume/message_line';

describe('MessageLine', () => {
  it('keeps what was sent until it is acknowledged', () => {
    const line = new MessageLine();
    for (const text of ['a', 'b', 'c']) {
      line.keep(text);
    }
    expect(line.missingFrom(0)).toEqual(['a', 'b', 'c']);
    line.acknowledge(2);
    expect(line.missingFrom(2)).toEqual(['c']);
    line.acknowledge(1);
    expect(line.missingFrom(3)).toEqual([]);
  });

  it('finds a gap before what is kept, and a server that claims more than was sent', () => {
    const line = new MessageLine();
    line.keep('a');
    line.keep('b');
    line.acknowledge(1);
    expect(line.missingFrom(0)).toBeUndefined();
    expect(line.missingFrom(3)).toBeUndefined();
    line.acknowledge(9);
    expect(line.missingFrom(2)).toEqual([]);
  });

  it('keeps a bounded number of messages', () => {
    const line = new MessageLine();
    for (let number = 0; number <= MAX_KEPT; number += 1) {
      line.keep(String(number));
    }
    expect(line.missingFrom(0)).toBeUndefined();
    expect(line.missingFrom(1)).toHaveLength(MAX_KEPT);
  });

  it('keeps a bounded number of characters', () => {
    const line = new MessageLine();
    line.keep('a');
    line.keep('x'.repeat(MAX_KEPT_LENGTH));
    expect(line.missingFrom(0)).toBeUndefined();
    expect(line.missingFrom(1)).toHaveLength(1);
    line.keep('x'.repeat(MAX_KEPT_LENGTH + 1));
    expect(line.missingFrom(2)).toBeUndefined();
    expect(line.missingFrom(3)).toEqual([]);
  });

  it('counts what was received, from a new start on', () => {
    const line = new MessageLine();
    line.count();
    line.restart();
    line.count();
    line.count();
    expect(line.received).toBe(2);
  });
});
