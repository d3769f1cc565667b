import { describe, expect, it } from 'vitest';
import { Milestones, type Milestone } from '../src/connection/first_frame';

function passed(...all: [Milestone, number][]): Partial<Record<Milestone, number>> {
  const milestones = new Milestones();
  for (const [milestone, now] of all) {
    milestones.pass(milestone, now);
  }
  return milestones.read();
}

describe('Milestones', () => {
  it('are what was passed, in whole milliseconds', () => {
    expect(passed(['opened', 211.4], ['configured', 220.6], ['frame', 400])).toEqual({
      opened: 211,
      configured: 221,
      frame: 400,
    });
  });

  it('count the last try, from the first contact', () => {
    const first: [Milestone, number][] = [
      ['opened', 100],
      ['matched', 200],
      ['configured', 210],
      ['negotiated', 250],
    ];
    expect(passed(...first, ['opened', 5000])).toEqual({ opened: 100 });
    expect(passed(...first, ['opened', 5000], ['configured', 5010], ['frame', 5400])).toEqual({
      opened: 100,
      configured: 5010,
      frame: 5400,
    });
  });
});
