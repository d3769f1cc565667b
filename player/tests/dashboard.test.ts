import { describe, expect, it } from 'vitest';
import { Fleet, type AppTotals, type Streamer } from '../../services/router/dashboard/fleet.js';
import { formatDuration, formatWait } from '../../services/router/dashboard/format.js';
import { Series } from '../../services/router/dashboard/series.js';
import { queueRow, sessionRow, streamerRow, TABLES } from '../../services/router/dashboard/tables.js';

const streamer = (fields: Partial<Streamer>): Streamer => ({
  id: 'pod-1/cam',
  endpointId: 'cam',
  serverId: 'pod-1',
  app: 'city',
  state: 'free',
  node: 'node-1',
  capacity: 1,
  taken: 0,
  since: 0,
  failedDials: 0,
  stock: false,
  spectatorInput: false,
  ...fields,
});

const appTotals = (fields: Partial<AppTotals>): AppTotals => ({
  app: 'city',
  streamers: 3,
  available: 1,
  aside: 1,
  slots: 4,
  used: 2,
  waiting: 5,
  oldestWaitSeconds: 10,
  ...fields,
});

describe('formatDuration', () => {
  it.each([
    [-1, '0 s'],
    [59.4, '59 s'],
    [60, '1 min'],
    [3599, '59 min'],
    [3600, '1 h'],
    [11_520, '3 h 12 min'],
    [86_400, '1 d'],
    [187_200, '2 d 4 h'],
  ])('formats %d s as %s', (seconds, expected) => {
    expect(formatDuration(seconds)).toBe(expected);
  });
});

describe('formatWait', () => {
  it.each([
    [12, '12 s'],
    [65, '1 min 5 s'],
    [3599, '59 min 59 s'],
    [3660, '1 h 1 min'],
  ])('formats %d s as %s', (seconds, expected) => {
    expect(formatWait(seconds)).toBe(expected);
  });
});

describe('Fleet', () => {
  it('applies changes to the streamers, and replaces all of them on a whole list', () => {
    const fleet = new Fleet();
    const [one, two] = [streamer({ id: 'one' }), streamer({ id: 'two' })];
    fleet.applyStreamers({ whole: true, changed: [one, two], gone: [] });
    fleet.applyStreamers({ whole: false, changed: [{ ...one, taken: 1 }], gone: ['two'] });
    expect(fleet.sorted()).toEqual([{ ...one, taken: 1 }]);
    fleet.applyStreamers({ whole: true, changed: [two], gone: [] });
    expect(fleet.sorted()).toEqual([two]);
  });

  it('sorts by app, then by state with quarantine first, then by id', () => {
    const fleet = new Fleet();
    const changed = [
      streamer({ id: 'd', app: 'harbour' }),
      streamer({ id: 'c' }),
      streamer({ id: 'b' }),
      streamer({ id: 'a', state: 'busy' }),
      streamer({ id: 'z', state: 'aside' }),
    ];
    fleet.applyStreamers({ whole: true, changed, gone: [] });
    expect(fleet.sorted().map(({ id }) => id)).toEqual(['z', 'a', 'b', 'c', 'd']);
  });

  it('sums the totals of all apps', () => {
    const fleet = new Fleet();
    const apps = [appTotals({}), appTotals({ app: 'harbour', slots: 2, oldestWaitSeconds: 30 })];
    fleet.applyTotals({ now: 7, young: true, apps });
    expect([fleet.now, fleet.warmingUp]).toEqual([7, true]);
    expect(fleet.totals()).toEqual({
      players: 4,
      slots: 6,
      free: 2,
      streamers: 6,
      quarantined: 2,
      waiting: 10,
      longestWait: 30,
    });
    fleet.applyTotals({ now: 8, young: false, apps: [...apps, appTotals({ slots: null })] });
    expect(fleet.totals().slots).toBeNull();
  });
});

describe('table rows', () => {
  const session = {
    id: 's'.repeat(32), app: 'city', streamer: 'pod-1/cam', state: 'held', away: false, role: 'player', matchedAt: 40,
    who: null,
    node: 'gpu-1',
    waitedSeconds: 3,
    firstFrameSeconds: null,
    path: null,
    longestStallSeconds: 0,
    resumed: 0,
    endsAt: null,
  } as const;
  const entry = { id: 'q'.repeat(32), app: 'city', position: 3, wants: null, labels: {}, priority: 0, arrivedAt: 35 };

  it('have one cell for each column but the last, which has the action', () => {
    expect(streamerRow(streamer({})).cells(0)).toHaveLength(TABLES.streamers.columns.length - 1);
    expect(sessionRow(session).cells(0)).toHaveLength(TABLES.sessions.columns.length - 1);
    expect(queueRow(entry).cells(0)).toHaveLength(TABLES.queue.columns.length - 1);
  });

  it('mark a streamer that takes input of spectators, and name the role of a session', () => {
    const marked = streamerRow(streamer({ state: 'busy', spectatorInput: true })).cells(0)[1];
    expect(marked).toMatchObject({ detail: 'Spectators can send input' });
    const details = (['player', 'guest', 'spectator'] as const).map((role) => sessionRow({ ...session, role }).cells(0)[1]?.detail);
    expect(details).toEqual(['cam', 'Guest on cam', 'Spectator of cam']);
  });

  it.each([
    ['free', 0, 'pod-1'],
    ['aside', 1, '1 failed connection'],
    ['aside', 3, '3 failed connections'],
    ['draining', 0, 'Accepts no new players'],
    ['not ready', 0, 'The application is not connected'],
  ])('explain the state of a streamer: %s, %d failures', (state, failedDials, detail) => {
    expect(streamerRow(streamer({ state, failedDials })).cells(0)[1]).toMatchObject({ text: 'cam', detail });
  });

  it('have the action that fits the state of a streamer', () => {
    expect(streamerRow(streamer({})).action).toMatchObject({ label: 'Drain', path: 'api/v1/streamers/pod-1%2Fcam/drain' });
    expect(streamerRow(streamer({ state: 'draining' })).action.label).toBe('Undrain');
  });

  it('show that the player of a session is away', () => {
    expect(sessionRow(session).cells(0)[0]).toMatchObject({ text: 'Playing', state: 'held' });
    expect(sessionRow({ ...session, away: true }).cells(0)[0]).toMatchObject({ text: 'Away', state: 'away' });
  });

  it('show who plays a session, and how well', () => {
    const facts = { who: 'ada', firstFrameSeconds: { page: 0.5, picture: 1 }, path: 'relayed', longestStallSeconds: 2.5, resumed: 2, endsAt: 160 };
    const cells = sessionRow({ ...session, ...facts }).cells(100);
    expect(cells[1]?.text).toBe('ada');
    expect(cells[4]).toMatchObject({ text: '1.5 s', detail: 'relayed, stall 2.5 s, resumed 2×' });
    expect(cells[5]?.detail).toBe('ends in 1 min');
    expect(sessionRow(session).cells(0)[4]).toMatchObject({ text: '–', detail: '' });
  });

  it('show times relative to the store', () => {
    expect(sessionRow(session).cells(100).at(-1)).toMatchObject({ text: '1 min' });
    expect(sessionRow({ ...session, matchedAt: null }).cells(100).at(-1)).toMatchObject({ text: '–' });
    expect(queueRow(entry).cells(100).at(-1)).toMatchObject({ text: '1 min 5 s' });
  });

  it('show what a player has requested', () => {
    const requested = (fields: object): string | undefined => queueRow({ ...entry, ...fields }).cells(0)[3]?.text;
    expect(requested({})).toBe('any');
    expect(requested({ labels: { region: 'eu', gpu: 'l4' } })).toBe('region eu, gpu l4');
    expect(requested({ wants: 'cam' })).toBe('cam');
  });
});

describe('Series', () => {
  const shapeOf = (series: Series): NonNullable<ReturnType<Series['shape']>> => {
    const shape = series.shape(300, 72);
    if (shape === undefined) {
      throw new Error('no shape');
    }
    return shape;
  };

  it('has no shape without a point', () => {
    expect(new Series().shape(300, 72)).toBeUndefined();
  });

  it('includes the current value, which is not kept yet, in its highest one', () => {
    const series = new Series();
    series.update(100, 5);
    series.update(102, 13);
    expect(shapeOf(series)).toMatchObject({ current: 13, highest: 13, seconds: 2 });
    series.update(104, 2);
    expect(shapeOf(series)).toMatchObject({ current: 2, highest: 5, seconds: 4 });
  });

  it('has the highest value 0 while all are 0', () => {
    const series = new Series();
    series.update(100, 0);
    expect(shapeOf(series)).toMatchObject({ current: 0, highest: 0, line: 'M300.0 72.0' });
  });

  it('fills the width from its first minutes on', () => {
    const series = new Series();
    series.update(100, 1);
    series.update(110, 1);
    expect(shapeOf(series).line).toBe('M0.0 2.0L300.0 2.0');
    series.prepend([[80, 1], [100, 7], [120, 7]]);
    expect(shapeOf(series)).toMatchObject({ seconds: 30, highest: 1 });
  });

  it('forgets what is older than an hour', () => {
    const series = new Series();
    series.update(0, 9);
    series.update(3601, 1);
    expect(shapeOf(series)).toMatchObject({ highest: 1, seconds: 0 });
  });
});
