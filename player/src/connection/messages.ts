import { optional } from '../optional';

/** A `matchmaker` message: the position in the queue, or a match. */
export type MatchmakerMessage =
  | { kind: 'queued'; position?: number; ahead?: number; etaSeconds?: number; unserved?: true; text?: string }
  | { kind: 'matched'; browserOffers: boolean };

/** The longest server text that is shown, in characters; a longer one is truncated. */
const MAX_TEXT_LENGTH = 200;

/** The longest time in a message, in seconds. */
const MAX_SECONDS = 86_400;

/** The matchmaker's default detail, which adds nothing to the page's own text. */
const DEFAULT_DETAIL = 'Waiting for a free streamer';

/** The `sigterm` text of legacy servers, which adds nothing to the page's own text. */
const DEFAULT_SIGTERM = 'stream will shutdown';

/**
 * Parses a `matchmaker` message: `{queued, matched, detail, [position, ahead, etaSeconds, unserved, dialect]}`.
 *
 * `unserved` means that no streamer of the fleet offers what the player waits for.
 *
 * @param message - untrusted; a field of the wrong type is treated as missing
 */
export function parseMatchmaker(message: unknown): MatchmakerMessage {
  const fields = record(message);
  if (fields['matched'] === true) {
    return { kind: 'matched', browserOffers: fields['dialect'] === 'legacy' };
  }
  const detail = cleanText(fields['detail']);
  if (fields['unserved'] === true) {
    return { kind: 'queued', unserved: true };
  }
  return {
    kind: 'queued',
    ...optional('position', count(fields['position'], 1)),
    ...optional('ahead', count(fields['ahead'], 0)),
    ...optional('etaSeconds', seconds(fields['etaSeconds'])),
    ...optional('text', detail === DEFAULT_DETAIL ? undefined : detail),
  };
}

/** A `sessionLimit` message: the server asks for reports of the user's input, or warns of the session's end. */
export interface SessionLimitMessage {
  /** How often the page may report the user's input, in milliseconds. */
  readonly reportInterval?: number;
  /** Without it and without an interval, an earlier warning is no longer true. */
  readonly warning?: { readonly limit: 'time' | 'idle'; /** in milliseconds */ readonly remaining: number };
}

/** Parses a `sessionLimit` message: `{[reportSeconds], [limit, remaining]}`, both times in seconds. */
export function parseSessionLimit(message: unknown): SessionLimitMessage {
  const { limit, ...fields } = record(message);
  const reportSeconds = seconds(fields['reportSeconds']);
  const remaining = seconds(fields['remaining']);
  return {
    ...(reportSeconds !== undefined && { reportInterval: reportSeconds * 1_000 }),
    ...((limit === 'time' || limit === 'idle') &&
      remaining !== undefined && { warning: { limit, remaining: remaining * 1_000 } }),
  };
}

/** Parses a `sigterm` message and returns the server's reason, if it sent one. */
export function parseSigterm(message: unknown): string | undefined {
  const reason = cleanText(record(message)['message']);
  return reason === DEFAULT_SIGTERM ? undefined : reason;
}

/** Reduces an untrusted text to one line of bounded length; undefined when it is empty or not a string. */
export function cleanText(value: unknown): string | undefined {
  if (typeof value !== 'string') {
    return undefined;
  }
  const line = value.replace(/\s+/g, ' ').trim();
  if (line === '') {
    return undefined;
  }
  return line.length > MAX_TEXT_LENGTH ? `${line.slice(0, MAX_TEXT_LENGTH - 1)}…` : line;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function count(value: unknown, lowest: number): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= lowest ? value : undefined;
}

function seconds(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= MAX_SECONDS ? value : undefined;
}
