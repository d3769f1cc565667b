import type { AggregatedStats } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { pathKind } from './connection/ice_path';
import { optional } from './optional';

/** A rating of the connection. */
export type Health = 'good' | 'fair' | 'poor' | 'unknown';

/** Statistics of the stream. A field is missing while its value is unknown. */
export interface StreamStats {
  readonly health: Health;
  /** Size of the video in pixels. */
  readonly width?: number;
  readonly height?: number;
  readonly framesPerSecond?: number;
  readonly kilobitsPerSecond?: number;
  readonly roundTripMs?: number;
  /** Packet loss over the last seconds, 0 to 100. */
  readonly lossPercent?: number;
  /** Frames dropped since the stream started. */
  readonly framesDropped?: number;
  /** For example "H264". */
  readonly codec?: string;
  /** Whether the video is received directly from the streamer or through a TURN server. */
  readonly path?: 'direct' | 'relay';
}

/** The part of the library's statistics that is used. */
export type StatsSource = Pick<
  AggregatedStats,
  'inboundVideoStats' | 'codecs' | 'localCandidates' | 'remoteCandidates' | 'getActiveCandidatePair'
>;

/** Number of samples, one a second, over which loss and freezes are counted. */
const WINDOW_SAMPLES = 5;

/** Lower bounds of the ratings "fair" and "poor". */
const ROUND_TRIP_MS = { fair: 120, poor: 250 } as const;
const LOSS_PERCENT = { fair: 1, poor: 5 } as const;

/** Values that the browser counts from the start of the peer connection. */
interface Counters {
  readonly lost: number;
  readonly received: number;
  readonly freezes: number;
}

/** Derives the statistics of the last seconds from the library's cumulative counters. */
export class StatsCollector {
  #samples: readonly Counters[] = [];

  /** Adds a sample and returns the statistics. */
  update(source: StatsSource): StreamStats {
    const video = source.inboundVideoStats;
    const counters: Counters = {
      lost: number(video.packetsLost) ?? 0,
      received: number(video.packetsReceived) ?? 0,
      freezes: number(video.freezeCount) ?? 0,
    };
    const newest = this.#samples.at(-1);
    // A new peer connection counts from zero.
    const kept = newest !== undefined && counters.received < newest.received ? [] : this.#samples;
    this.#samples = [...kept, counters].slice(-WINDOW_SAMPLES - 1);
    const oldest = this.#samples[0] ?? counters;
    const expected = counters.received - oldest.received + (counters.lost - oldest.lost);
    const loss = expected > 0 ? Math.max(0, (100 * (counters.lost - oldest.lost)) / expected) : undefined;
    const roundTrip = milliseconds(source.getActiveCandidatePair()?.currentRoundTripTime);
    return {
      health: rateHealth(roundTrip, loss, counters.freezes > oldest.freezes),
      ...optional('width', number(video.frameWidth)),
      ...optional('height', number(video.frameHeight)),
      ...optional('framesPerSecond', number(video.framesPerSecond)),
      ...optional('kilobitsPerSecond', number(video.bitrate)),
      ...optional('roundTripMs', roundTrip),
      ...optional('lossPercent', loss),
      ...optional('framesDropped', number(video.framesDropped)),
      ...optional('codec', codecName(source)),
      ...optional('path', activePath(source)),
    };
  }

  /** Discards all samples: another stream starts. */
  reset(): void {
    this.#samples = [];
  }
}

function rateHealth(roundTrip: number | undefined, loss: number | undefined, froze: boolean): Health {
  if (roundTrip === undefined && loss === undefined) {
    return 'unknown';
  }
  const reaches = (grade: 'fair' | 'poor'): boolean =>
    (roundTrip ?? 0) >= ROUND_TRIP_MS[grade] || (loss ?? 0) >= LOSS_PERCENT[grade];
  if (reaches('poor')) {
    return 'poor';
  }
  return froze || reaches('fair') ? 'fair' : 'good';
}

function activePath(source: StatsSource): StreamStats['path'] {
  const pair = source.getActiveCandidatePair();
  const ends = [...source.localCandidates, ...source.remoteCandidates].filter(
    ({ id }) => id === pair?.localCandidateId || id === pair?.remoteCandidateId,
  );
  if (ends.length === 0) {
    return undefined;
  }
  return pathKind(ends.map(({ candidateType }) => candidateType)) === 'relayed' ? 'relay' : 'direct';
}

function codecName(source: StatsSource): string | undefined {
  const id = source.inboundVideoStats.codecId;
  const type = id === undefined ? undefined : source.codecs.get(id)?.mimeType;
  return type?.split('/').at(-1);
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function milliseconds(value: unknown): number | undefined {
  const seconds = number(value);
  return seconds === undefined ? undefined : Math.round(seconds * 1000);
}
