import { describe, expect, it } from 'vitest';
import {
  appShares,
  dayCells,
  dayLabel,
  endLabel,
  formatMinutes,
  formatTime,
  plural,
  sessionCells,
  shares,
  type PastSession,
} from '../../services/router/dashboard/usage_views.js';

const session: PastSession = {
  id: '1000-0',
  session: 's',
  app: 'city',
  who: 'ada',
  address: null,
  streamer: 'pod/cam',
  node: 'gpu-1',
  waitedSeconds: 2.5,
  startedAt: 900,
  endedAt: 1000,
  playedSeconds: 100,
  firstFrameSeconds: { page: 0.2, total: 0.2 },
  path: 'direct',
  longestStallSeconds: 0,
  ending: 'left',
  by: 'player',
  operator: null,
};

describe('the usage page', () => {
  it.each([
    [null, '–'],
    [0, '0 s'],
    [0.0004, '1 ms'],
    [0.35, '350 ms'],
    [0.9996, '1.0 s'],
    [2.44, '2.4 s'],
    [59.96, '1 min'],
    [7200, '2 h'],
  ])('formats a time of %s seconds', (seconds, text) => {
    expect(formatTime(seconds)).toBe(text);
  });

  it.each([
    [0, '0 min'],
    [89, '89 min'],
    [750, '12.5 h'],
    [72_000, '1,200 h'],
  ])('formats a sum of %s minutes', (minutes, text) => {
    expect(formatMinutes(minutes)).toBe(text);
  });

  it('names days in any time zone as the matchmaker does', () => {
    expect(dayLabel('2026-01-31')).toBe('31 Jan');
  });

  it('names known ends, and makes unknown ones readable', () => {
    expect(endLabel('idle')).toBe('No input for too long');
    expect(endLabel('new_reason')).toBe('new reason');
  });

  it('shows the largest parts first, and the smallest ones as one', () => {
    expect(shares({ left: 1, idle: 3 }, 'ends').map(({ label }) => label)).toEqual(['No input for too long', 'Player left']);
    const many = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`end-${String(index)}`, index + 1]));
    const shown = shares(many, 'ends');
    expect(shown).toHaveLength(8);
    expect(shown.at(-1)).toEqual({ label: '5 others', value: 15, text: '15' });
  });

  it('shows the minutes of applications', () => {
    const usage = { sessions: 1, abandoned: 0, minutes: 30, peak: 1, waitP50: null, waitP95: null };
    const app = { ...usage, firstFrameP50: null, firstFrameP95: null, ends: {}, paths: {}, app: 'city' };
    expect(appShares([app])).toEqual([{ label: 'city', value: 30, text: '30 min, 1 session' }]);
    expect(dayCells({ ...app, day: '2026-01-31' })).toEqual(['2026-01-31', '1', '0', '30', '1', '–', '–', '–', '–']);
  });

  it('has a cell for each column of the past sessions', () => {
    const cells = ['10 s ago', 'city', 'ada', 'cam', '2.5 s', '1 min', '200 ms', 'direct', '–', 'Player left'];
    expect(sessionCells(session, 1010)).toEqual(cells);
    const kicked = sessionCells({ ...session, ending: 'kicked', by: 'operator', operator: 'eve' }, 1010);
    expect(kicked.at(-1)).toBe('Ended by an operator (eve)');
    const abandoned = { ...session, startedAt: null, streamer: null, firstFrameSeconds: null, path: null, who: null };
    expect(sessionCells(abandoned, 1010).slice(2, 8)).toEqual(['–', '–', '2.5 s', '–', '–', '–']);
  });

  it('counts in singular and plural', () => {
    expect([plural(1, 'record'), plural(1200, 'record')]).toEqual(['1 record', '1,200 records']);
  });
});
