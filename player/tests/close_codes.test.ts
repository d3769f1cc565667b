import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  closeReason,
  endMeaning,
  isPixelfleetCode,
  reconnectAdvice,
  waitMeaning,
} from '../src/connection/close_codes';
import { DEFAULT_TEXTS } from '../src/texts';

describe('reconnectAdvice', () => {
  it.each([
    [4000, 'now'],
    [4099, 'now'],
    [4100, 'later'],
    [4199, 'later'],
    [4200, 'never'],
    [4299, 'never'],
  ])('maps Pixelfleet code %i by its range: %s', (code, advice) => {
    expect(reconnectAdvice(code)).toBe(advice);
    expect(isPixelfleetCode(code)).toBe(true);
  });

  it.each([
    [1000, 'never'],
    [1001, 'now'],
    [1005, 'now'],
    [1006, 'now'],
    [1008, 'never'],
    [1009, 'never'],
    [1011, 'never'],
    [1012, 'now'],
    [1013, 'later'],
  ])('maps standard code %i: %s', (code, advice) => {
    expect(reconnectAdvice(code)).toBe(advice);
    expect(isPixelfleetCode(code)).toBe(false);
  });

  it.each([0, 3999, 4300, 4999])('reconnects now after unknown code %i', (code) => {
    expect(reconnectAdvice(code)).toBe('now');
    expect(isPixelfleetCode(code)).toBe(false);
  });
});

describe('waitMeaning', () => {
  it.each([
    [4100, 'no-streamer'],
    [4101, 'closing'],
    [4102, 'full'],
    [4103, 'queue-timeout'],
    [4104, 'too-fast'],
    [4105, 'no-service'],
  ])('maps %i to the cause %s', (code, cause) => {
    expect(waitMeaning(code)).toEqual({ cause, showReason: false });
  });

  it.each([
    [1013, 'no-streamer'],
    [4150, 'no-service'],
  ])("shows the server's reason after %i", (code, cause) => {
    expect(waitMeaning(code)).toEqual({ cause, showReason: true });
  });
});

describe('endMeaning', () => {
  it.each([
    [1000, 'over'],
    [4200, 'not-allowed'],
    [4201, 'kicked'],
    [4202, 'over'],
    [1002, 'incompatible'],
    [1009, 'incompatible'],
    [4203, 'incompatible'],
    [4204, 'incompatible'],
    [4205, 'no-video'],
    [4206, 'not-found'],
    [4207, 'codec'],
    [4208, 'elsewhere'],
    [4209, 'time-over'],
    [4210, 'idle'],
    [4211, 'too-many-sessions'],
    [4212, 'no-minutes'],
    [4213, 'session-full'],
  ])('maps %i to the cause %s', (code, cause) => {
    expect(endMeaning(code, true)).toEqual({ cause, showReason: false });
    expect(endMeaning(code, false)).toEqual({ cause, showReason: false });
  });

  it.each([
    [1011, true, 'left'],
    [1011, false, 'left'],
    [1008, true, 'refused'],
    [4250, true, 'over'],
    [4250, false, 'refused'],
  ])("shows the server's reason after %i (played: %s): %s", (code, played, cause) => {
    expect(endMeaning(code, played)).toEqual({ cause, showReason: true });
  });
});

describe('closeReason', () => {
  it('has at most 123 bytes, as websockets allow', () => {
    expect(closeReason('no codec: H264')).toBe('no codec: H264');
    expect(closeReason('gr\u00f6\u00dfer\n\u{1f600} x')).toBe('gr er  x');
    expect(closeReason('x'.repeat(500))).toHaveLength(123);
  });
});

describe("the servers' catalogue", () => {
  const python = readFileSync(
    new URL('../../services/pixelfleet/protocol/close_codes.py', import.meta.url),
    'utf8',
  );
  const catalogue = [...python.matchAll(/^\w+ = _define\((\d+), "(\w+)", "[^"]+"\)$/gm)].map(
    ([, code, label]): [number, string] => [Number(code), label ?? ''],
  );
  const coded = (advice: string): [number, string][] => catalogue.filter(([code]) => reconnectAdvice(code) === advice);

  it('is read completely', () => {
    expect(catalogue).toHaveLength(python.split('= _define(').length - 1);
    expect(catalogue.length).toBeGreaterThan(20);
  });

  it('has no code for clients that the page treats as unknown', () => {
    const own = catalogue.filter(([code]) => code >= 4000 && code < 4300); // services send the others to each other
    expect(own.filter(([code]) => !isPixelfleetCode(code))).toEqual([]);
  });

  it.each(coded('later'))('has a cause of waiting and a text for %i (%s)', (code) => {
    const { cause, showReason } = waitMeaning(code);
    expect(showReason).toBe(false);
    expect(DEFAULT_TEXTS).toHaveProperty([`waiting.${cause}.title`]);
    expect(DEFAULT_TEXTS).toHaveProperty([`waiting.${cause}.detail`]);
  });

  it.each(coded('never'))('has a cause of the end and a text for %i (%s)', (code) => {
    const { cause, showReason } = endMeaning(code, false);
    expect(showReason).toBe(code === 1011); // the application's own words are shown
    expect(DEFAULT_TEXTS).toHaveProperty([`ended.${cause}.title`]);
    expect(DEFAULT_TEXTS).toHaveProperty([`ended.${cause}.detail`]);
  });
});
