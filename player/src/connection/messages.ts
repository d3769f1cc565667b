import { optional } from '../optional';

/** What the matchmaker tells a player on the way to a streamer. */
export type MatchmakerMessage =
  | { kind: 'queued'; position?: number; ahead?: number; etaSeconds?: number; text?: string }
  | { kind: 'matched'; browserOffers: boolean };

/** The longest text from a server that is shown; the rest of a longer one is cut off. */
const LONGEST_TEXT = 200;

/** The longest estimate that is worth showing: beyond a day it says nothing. */
const LONGEST_ETA = 86_400;

/** What a matchmaker says of a queue in general; it tells no more than our own sentence does. */
const PLAIN_DETAIL = 'Waiting for a free streamer';

/** What the first servers of this kind say in `sigterm`; it tells no more than our own sentence does. */
const PLAIN_SIGTERM = 'stream will shutdown';

/**
 * Reads a `matchmaker` message: `{queued, matched, detail, [position, ahead, etaSeconds, dialect]}`.
 *
 * @param message - whatever came; a field of the wrong type is as good as missing
 */
export function parseMatchmaker(message: unknown): MatchmakerMessage {
  const fields = record(message);
  if (fields['matched'] === true) {
    return { kind: 'matched', browserOffers: fields['dialect'] === 'legacy' };
  }
  const detail = text(fields['detail']);
  return {
    kind: 'queued',
    ...optional('position', count(fields['position'], 1)),
    ...optional('ahead', count(fields['ahead'], 0)),
    ...optional('etaSeconds', seconds(fields['etaSeconds'])),
    ...optional('text', detail === PLAIN_DETAIL ? undefined : detail),
  };
}

/** Reads a `sigterm` message: the server's own words, if it has any. */
export function parseSigterm(message: unknown): string | undefined {
  const words = text(record(message)['message']);
  return words === PLAIN_SIGTERM ? undefined : words;
}

/** Cleans a text from outside: one line, bounded, undefined when there is nothing in it. */
export function text(value: unknown): string | undefined {
  if (typeof value !== 'string') {
    return undefined;
  }
  const line = value.replace(/\s+/g, ' ').trim();
  if (line === '') {
    return undefined;
  }
  return line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT - 1)}…` : line;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function count(value: unknown, lowest: number): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= lowest ? value : undefined;
}

function seconds(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_ETA ? value : undefined;
}
