import { describe, expect, it } from 'vitest';
import { LongestStall } from '../src/connection/stall_report';

describe('LongestStall', () => {
  it('reports at the start, also without freezes and in browsers that count none', () => {
    expect(new LongestStall().update(0, 'H264', 0)).toEqual({ longestStall: 0, codec: 'H264' });
    expect(new LongestStall().update(undefined, undefined, 0)).toEqual({ longestStall: 0 });
  });

  it('reports the longest freeze and not the sum', () => {
    const stall = new LongestStall();
    stall.update(0, 'VP8', 0);
    expect(stall.update(2, 'VP8', 20_000)).toEqual({ longestStall: 2, codec: 'VP8' });
    expect(stall.update(3, 'VP8', 40_000)).toBeUndefined();
    expect(stall.update(4.2, 'VP8', 60_000)).toBeUndefined();
    expect(stall.update(7, 'VP8', 80_000)?.longestStall).toBe(2.8);
  });

  it('waits between two reports, and then reports the longest one of that time', () => {
    const stall = new LongestStall();
    stall.update(0, 'VP8', 0);
    expect(stall.update(3, 'VP8', 5_000)).toBeUndefined();
    expect(stall.update(3, 'VP8', 9_000)).toBeUndefined();
    expect(stall.update(3, 'VP8', 10_000)?.longestStall).toBe(3);
  });

  it('counts a new peer connection from zero', () => {
    const stall = new LongestStall();
    stall.update(4, 'VP8', 0);
    expect(stall.update(1, 'VP8', 20_000)).toBeUndefined();
    expect(stall.update(6.5, 'VP8', 40_000)?.longestStall).toBe(5.5);
  });
});
