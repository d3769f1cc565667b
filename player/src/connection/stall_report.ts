import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { reportStats } from './stats_report';

/** A stall that is longer than the last reported one by less than this is not reported, in seconds. */
const STEP = 0.5;

/** The shortest time between two reports, in milliseconds. */
const INTERVAL = 10_000;

/** What the server is sent: the longest stall in seconds, and the codec if the browser names it. */
export interface StallReport {
  readonly longestStall: number;
  readonly codec?: string;
}

/**
 * Finds the longest time without a new picture from the browser's sum of all freezes, and decides when to report it:
 * once at the start, and whenever it has grown noticeably.
 */
export class LongestStall {
  #sum = 0;
  #longest = 0;
  #reported: number | undefined;
  #reportedAt = -Infinity;

  /**
   * Adds a reading of the statistics, which are read about once a second: the freezes that ended since the last one
   * are nearly always one.
   *
   * @param total - the duration of all freezes of this peer connection, in seconds; missing in some browsers
   * @param now - in milliseconds
   * @returns the report that is due, if any
   */
  update(total: number | undefined, codec: string | undefined, now: number): StallReport | undefined {
    const sum = total !== undefined && Number.isFinite(total) ? total : 0;
    // A new peer connection counts from zero.
    this.#longest = Math.max(this.#longest, sum < this.#sum ? sum : sum - this.#sum);
    this.#sum = sum;
    const isDue = this.#reported === undefined || this.#longest >= this.#reported + STEP;
    if (!isDue || now - this.#reportedAt < INTERVAL) {
      return undefined;
    }
    this.#reported = this.#longest;
    this.#reportedAt = now;
    return { longestStall: Math.round(this.#longest * 10) / 10, ...(codec === undefined ? {} : { codec }) };
  }
}

/** Reports the longest stall of a stream to the server. Call `update` with each reading of the statistics. */
export function stallReporter(stream: PixelStreaming): (total: number | undefined, codec: string | undefined) => void {
  const stall = new LongestStall();
  return (total, codec) => {
    const report = stall.update(total, codec, performance.now());
    if (report !== undefined) {
      reportStats(stream, report);
    }
  };
}
