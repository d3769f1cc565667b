import type { AggregatedStats } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { pathKind } from './connection/ice_path';
import { optional } from './optional';

/** How well the connection does, in one word. */
export type Health = 'good' | 'fair' | 'poor' | 'unknown';

/** What a person may want to know of the stream; what is not known is missing. */
export interface StreamStats {
  readonly health: Health;
  /** Size of the picture in pixels. */
  readonly width?: number;
  readonly height?: number;
  readonly framesPerSecond?: number;
  readonly kilobitsPerSecond?: number;
  readonly roundTripMs?: number;
  /** Share of packets that did not arrive in the last seconds, 0 to 100. */
  readonly lossPercent?: number;
  /** Frames that came too late to be shown, since the stream began. */
  readonly framesDropped?: number;
  /** Such as "H264". */
  readonly codec?: string;
  /** Whether the video comes straight from the streamer or through a TURN server. */
  readonly path?: 'direct' | 'relay';
}

/** The part of the library's statistics that is read. */
export type StatsSource = Pick<AggregatedStats, 'inboundVideoStats' | 'codecs' | 'localCandidates' | 'remoteCandidates' | 'getActiveCandidatePair'>;

/** Over how many readings, one a second, loss and freezes are counted. */
const WINDOW = 5;

/** From here on a connection is fair, and from there on poor. */
const ROUND_TRIP_MS = { fair: 120, poor: 250 } as const;
const LOSS_PERCENT = { fair: 1, poor: 5 } as const;

interface Counts {
  readonly lost: number;
  readonly received: number;
  readonly freezes: number;
}

/** Turns the library's readings, which count up from the start, into figures for the last seconds. */
export class StatsCollector {
  #readings: readonly Counts[] = [];

  /** Takes a reading. */
  read(source: StatsSource): StreamStats {
    const video = source.inboundVideoStats;
    const counts: Counts = {
      lost: number(video.packetsLost) ?? 0,
      received: number(video.packetsReceived) ?? 0,
      freezes: number(video.freezeCount) ?? 0,
    };
    const newest = this.#readings.at(-1);
    // A new peer connection counts from zero again.
    const kept = newest !== undefined && counts.received < newest.received ? [] : this.#readings;
    this.#readings = [...kept, counts].slice(-WINDOW - 1);
    const oldest = this.#readings[0] ?? counts;
    const expected = counts.received - oldest.received + (counts.lost - oldest.lost);
    const loss = expected > 0 ? Math.max(0, (100 * (counts.lost - oldest.lost)) / expected) : undefined;
    const roundTrip = seconds(source.getActiveCandidatePair()?.currentRoundTripTime);
    return {
      health: healthOf(roundTrip, loss, counts.freezes > oldest.freezes),
      ...optional('width', number(video.frameWidth)),
      ...optional('height', number(video.frameHeight)),
      ...optional('framesPerSecond', number(video.framesPerSecond)),
      ...optional('kilobitsPerSecond', number(video.bitrate)),
      ...optional('roundTripMs', roundTrip),
      ...optional('lossPercent', loss),
      ...optional('framesDropped', number(video.framesDropped)),
      ...optional('codec', codecOf(source)),
      ...optional('path', pathOf(source)),
    };
  }

  /** Forgets what it read: another stream begins. */
  reset(): void {
    this.#readings = [];
  }
}

function healthOf(roundTrip: number | undefined, loss: number | undefined, froze: boolean): Health {
  if (roundTrip === undefined && loss === undefined) {
    return 'unknown';
  }
  const beyond = (grade: 'fair' | 'poor'): boolean =>
    (roundTrip ?? 0) >= ROUND_TRIP_MS[grade] || (loss ?? 0) >= LOSS_PERCENT[grade];
  if (beyond('poor')) {
    return 'poor';
  }
  return froze || beyond('fair') ? 'fair' : 'good';
}

function pathOf(source: StatsSource): StreamStats['path'] {
  const pair = source.getActiveCandidatePair();
  const ends = [...source.localCandidates, ...source.remoteCandidates].filter(
    ({ id }) => id === pair?.localCandidateId || id === pair?.remoteCandidateId,
  );
  if (ends.length === 0) {
    return undefined;
  }
  return pathKind(ends.map(({ candidateType }) => candidateType)) === 'relayed' ? 'relay' : 'direct';
}

function codecOf(source: StatsSource): string | undefined {
  const id = source.inboundVideoStats.codecId;
  const type = id === undefined ? undefined : source.codecs.get(id)?.mimeType;
  return type?.split('/').at(-1);
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function seconds(value: unknown): number | undefined {
  const read = number(value);
  return read === undefined ? undefined : Math.round(read * 1000);
}
