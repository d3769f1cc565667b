import { describe, expect, it } from 'vitest';
import { Milestones, type Milestone } from '../src/connection/first_frame';

function timesOf(...all: [Milestone, number][]): Partial<Record<Milestone, number>> {
  const milestones = new Milestones();
  for (const [milestone, now] of all) {
    milestones.mark(milestone, now);
  }
  return milestones.times();
}

describe('Milestones', () => {
  it('are recorded in whole milliseconds', () => {
    expect(timesOf(['opened', 211.4], ['configured', 220.6], ['frame', 400])).toEqual({
      opened: 211,
      configured: 221,
      frame: 400,
    });
  });

  it('are those of the last attempt, except for the first "opened"', () => {
    const first: [Milestone, number][] = [
      ['opened', 100],
      ['matched', 200],
      ['configured', 210],
      ['negotiated', 250],
    ];
    expect(timesOf(...first, ['opened', 5000])).toEqual({ opened: 100 });
    expect(timesOf(...first, ['opened', 5000], ['configured', 5010], ['frame', 5400])).toEqual({
      opened: 100,
      configured: 5010,
      frame: 5400,
    });
  });
});
