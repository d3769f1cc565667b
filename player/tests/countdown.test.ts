import { describe, expect, it } from 'vitest';
import { clock } from '../src/view/countdown';

describe('clock', () => {
  it.each([
    [0, '0:00'],
    [9, '0:09'],
    [60, '1:00'],
    [125, '2:05'],
    [3_600, '60:00'],
  ])('formats %d seconds', (seconds, text) => {
    expect(clock(seconds)).toBe(text);
  });
});
