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
  it('reads what there is', () => {
    expect(new StatsCollector().read(reading({ received: 100, roundTrip: 0.0312 }))).toEqual({
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

  it('leaves out what there is not', () => {
    const empty = {
      inboundVideoStats: { framesPerSecond: NaN },
      codecs: new Map(),
      localCandidates: [],
      remoteCandidates: [],
      getActiveCandidatePair: () => null,
    } as unknown as StatsSource;
    expect(new StatsCollector().read(empty)).toEqual({ health: 'unknown' });
  });

  it('counts loss over the last five seconds, and forgets older ones', () => {
    const meter = new StatsCollector();
    meter.read(reading({ received: 1000, lost: 500 }));
    expect(meter.read(reading({ received: 1090, lost: 510 })).lossPercent).toBe(10);
    for (let second = 1; second <= 5; second += 1) {
      meter.read(reading({ received: 1090 + 100 * second, lost: 510 }));
    }
    expect(meter.read(reading({ received: 1690, lost: 510 })).lossPercent).toBe(0);
  });

  it('begins anew with another peer connection', () => {
    const meter = new StatsCollector();
    meter.read(reading({ received: 1000, lost: 500 }));
    expect(meter.read(reading({ received: 10, lost: 0 }))).not.toHaveProperty('lossPercent');
    meter.reset();
    expect(meter.read(reading({ received: 2000, lost: 100 }))).not.toHaveProperty('lossPercent');
  });

  it.each<[Reading, Reading, string]>([
    [{ roundTrip: 0.119 }, {}, 'good'],
    [{ roundTrip: 0.12 }, {}, 'fair'],
    [{ roundTrip: 0.25 }, {}, 'poor'],
    [{ roundTrip: 0.01 }, { lost: 1 }, 'fair'],
    [{ roundTrip: 0.01 }, { lost: 6 }, 'poor'],
    [{ roundTrip: 0.01 }, { freezes: 1 }, 'fair'],
  ])('judges %j and then %j as %s', (before, change, health) => {
    const meter = new StatsCollector();
    meter.read(reading({ received: 100, ...before }));
    expect(meter.read(reading({ received: 199, ...before, ...change })).health).toBe(health);
  });

  it('tells a relay from a straight way', () => {
    expect(new StatsCollector().read(reading({ roundTrip: 0.01, candidate: 'relay' })).path).toBe('relay');
    expect(new StatsCollector().read(reading({ roundTrip: 0.01, far: 'relay' })).path).toBe('relay');
    expect(new StatsCollector().read(reading({ roundTrip: 0.01, candidate: 'srflx' })).path).toBe('direct');
  });
});

describe('statsRows', () => {
  const row = (rows: ReturnType<typeof statsRows>, label: string): string | undefined =>
    rows.find(([name]) => name === label)?.[1];

  it('rounds, and names units', () => {
    const rows = statsRows(
      { health: 'good', width: 1280, height: 720, framesPerSecond: 29.7, kilobitsPerSecond: 4260, roundTripMs: 31, lossPercent: 0.04, path: 'relay' },
      3725,
      'Pad',
      DEFAULT_TEXTS,
    );
    expect(Object.fromEntries(rows)).toMatchObject({
      Picture: '1280 × 720',
      Frames: '30/s',
      'Bit rate': '4.3 Mbit/s',
      'Round trip': '31 ms',
      'Lost packets': '0.0 %',
      Codec: 'unknown',
      Path: 'through a relay',
      'Playing for': '1:02:05',
      Gamepad: 'Pad',
    });
  });

  it('names the unknown as such', () => {
    const rows = statsRows(undefined, 59.9, undefined, DEFAULT_TEXTS);
    expect(row(rows, 'Picture')).toBe('unknown');
    expect(row(rows, 'Playing for')).toBe('0:59');
    expect(row(rows, 'Gamepad')).toBe('none connected');
    expect(row(statsRows({ health: 'good', kilobitsPerSecond: 640 }, 0, undefined, DEFAULT_TEXTS), 'Bit rate')).toBe('640 kbit/s');
  });
});

describe('latencyText', () => {
  it('tells the whole and its parts', () => {
    expect(latencyText({ network: 12.4, encode: 3.21, total: 30.6 }, DEFAULT_TEXTS)).toBe(
      '31 ms in all: 12 ms network, 3.2 ms encoding',
    );
  });
});
