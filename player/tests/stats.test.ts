import { describe, expect, it } from 'vitest';
import { StatsCollector, type StatsSource } from '../src/stats';
import { DEFAULT_TEXTS } from '../src/texts';
import { latencyText, statsRows } from '../src/view/stats_rows';

interface Reading {
  received?: number;
  lost?: number;
  freezes?: number;
  roundTrip?: number;
  candidate?: string;
  far?: string;
}

function reading({ received = 0, lost = 0, freezes = 0, roundTrip, candidate = 'host', far = 'host' }: Reading): StatsSource {
  const ends = { localCandidateId: 'here', remoteCandidateId: 'there' };
  const pair = roundTrip === undefined ? null : { currentRoundTripTime: roundTrip, ...ends };
  return {
    inboundVideoStats: {
      packetsReceived: received,
      packetsLost: lost,
      freezeCount: freezes,
      frameWidth: 1280,
      frameHeight: 720,
      framesPerSecond: 30,
      bitrate: 4200,
      framesDropped: 2,
      codecId: 'c',
    },
    codecs: new Map([['c', { mimeType: 'video/H264' }]]),
    localCandidates: [{ id: 'here', candidateType: candidate }],
    remoteCandidates: [{ id: 'there', candidateType: far }],
    getActiveCandidatePair: () => pair,
  } as unknown as StatsSource;
}

describe('StatsCollector', () => {
  it('returns all known values', () => {
    expect(new StatsCollector().update(reading({ received: 100, roundTrip: 0.0312 }))).toEqual({
      health: 'good',
      width: 1280,
      height: 720,
      framesPerSecond: 30,
      kilobitsPerSecond: 4200,
      roundTripMs: 31,
      framesDropped: 2,
      codec: 'H264',
      path: 'direct',
    });
  });

  it('omits unknown values', () => {
    const empty = {
      inboundVideoStats: { framesPerSecond: NaN },
      codecs: new Map(),
      localCandidates: [],
      remoteCandidates: [],
      getActiveCandidatePair: () => null,
    } as unknown as StatsSource;
    expect(new StatsCollector().update(empty)).toEqual({ health: 'unknown' });
  });

  it('computes the packet loss of the last five seconds', () => {
    const collector = new StatsCollector();
    collector.update(reading({ received: 1000, lost: 500 }));
    expect(collector.update(reading({ received: 1090, lost: 510 })).lossPercent).toBe(10);
    for (let second = 1; second <= 5; second += 1) {
      collector.update(reading({ received: 1090 + 100 * second, lost: 510 }));
    }
    expect(collector.update(reading({ received: 1690, lost: 510 })).lossPercent).toBe(0);
  });

  it('starts again with a new peer connection', () => {
    const collector = new StatsCollector();
    collector.update(reading({ received: 1000, lost: 500 }));
    expect(collector.update(reading({ received: 10, lost: 0 }))).not.toHaveProperty('lossPercent');
    collector.reset();
    expect(collector.update(reading({ received: 2000, lost: 100 }))).not.toHaveProperty('lossPercent');
  });

  it.each<[Reading, Reading, string]>([
    [{ roundTrip: 0.119 }, {}, 'good'],
    [{ roundTrip: 0.12 }, {}, 'fair'],
    [{ roundTrip: 0.25 }, {}, 'poor'],
    [{ roundTrip: 0.01 }, { lost: 1 }, 'fair'],
    [{ roundTrip: 0.01 }, { lost: 6 }, 'poor'],
    [{ roundTrip: 0.01 }, { freezes: 1 }, 'fair'],
  ])('rates %j followed by %j as %s', (before, change, health) => {
    const collector = new StatsCollector();
    collector.update(reading({ received: 100, ...before }));
    expect(collector.update(reading({ received: 199, ...before, ...change })).health).toBe(health);
  });

  it('detects a relay', () => {
    expect(new StatsCollector().update(reading({ roundTrip: 0.01, candidate: 'relay' })).path).toBe('relay');
    expect(new StatsCollector().update(reading({ roundTrip: 0.01, far: 'relay' })).path).toBe('relay');
    expect(new StatsCollector().update(reading({ roundTrip: 0.01, candidate: 'srflx' })).path).toBe('direct');
  });
});

describe('statsRows', () => {
  const row = (rows: ReturnType<typeof statsRows>, label: string): string | undefined =>
    rows.find(([name]) => name === label)?.[1];

  it('rounds and adds units', () => {
    const rows = statsRows(
      { health: 'good', width: 1280, height: 720, framesPerSecond: 29.7, kilobitsPerSecond: 4260, roundTripMs: 31, lossPercent: 0.04, path: 'relay' },
      3725,
      'Pad',
      DEFAULT_TEXTS,
    );
    expect(Object.fromEntries(rows)).toMatchObject({
      Resolution: '1280 × 720',
      'Frame rate': '30/s',
      Bitrate: '4.3 Mbit/s',
      'Round trip': '31 ms',
      'Packet loss': '0.0 %',
      Codec: 'unknown',
      Connection: 'relayed',
      'Playing time': '1:02:05',
      Gamepad: 'Pad',
    });
  });

  it('marks unknown values', () => {
    const rows = statsRows(undefined, 59.9, undefined, DEFAULT_TEXTS);
    expect(row(rows, 'Resolution')).toBe('unknown');
    expect(row(rows, 'Playing time')).toBe('0:59');
    expect(row(rows, 'Gamepad')).toBe('none connected');
    expect(row(statsRows({ health: 'good', kilobitsPerSecond: 640 }, 0, undefined, DEFAULT_TEXTS), 'Bitrate')).toBe('640 kbit/s');
  });
});

describe('latencyText', () => {
  it('shows the total and its parts', () => {
    expect(latencyText({ network: 12.4, encode: 3.21, total: 30.6 }, DEFAULT_TEXTS)).toBe(
      '31 ms (12 ms network, 3.2 ms encoding)',
    );
  });
});
