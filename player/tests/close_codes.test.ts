import { describe, expect, it } from 'vitest';
import { adviceFor, isOwnCode } from '../src/connection/close_codes';

describe('adviceFor', () => {
  it.each([
    [4000, 'at-once'],
    [4099, 'at-once'],
    [4100, 'later'],
    [4199, 'later'],
    [4200, 'never'],
    [4299, 'never'],
  ])("reads the suite's own %i from its range alone: %s", (code, advice) => {
    expect(adviceFor(code)).toBe(advice);
    expect(isOwnCode(code)).toBe(true);
  });

  it.each([
    [1000, 'never'],
    [1001, 'never'],
    [1005, 'at-once'],
    [1006, 'at-once'],
    [1008, 'never'],
    [1009, 'never'],
    [1011, 'never'],
    [1012, 'at-once'],
    [1013, 'later'],
  ])("reads other servers' %i: %s", (code, advice) => {
    expect(adviceFor(code)).toBe(advice);
    expect(isOwnCode(code)).toBe(false);
  });

  it.each([0, 3999, 4300, 4999])('comes back at once after an unknown code: %i', (code) => {
    expect(adviceFor(code)).toBe('at-once');
    expect(isOwnCode(code)).toBe(false);
  });
});
