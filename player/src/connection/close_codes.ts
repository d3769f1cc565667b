import type { EndCause, WaitCause } from '../state';

/** What a close code asks the page to do: reconnect now, reconnect later, or not at all. */
export type ReconnectAdvice = 'now' | 'later' | 'never';

/** The meaning of a close, and whether the server's reason is shown in place of the page's own text. */
export interface CloseMeaning<Cause> {
  readonly cause: Cause;
  readonly showReason: boolean;
}

/** Pixelfleet's own codes. The range alone decides whether to reconnect. */
const PIXELFLEET_RANGES: readonly (readonly [first: number, last: number, advice: ReconnectAdvice])[] = [
  [4000, 4099, 'now'],
  [4100, 4199, 'later'],
  [4200, 4299, 'never'],
];

/** The streamer closed the connection of its player. */
export const STREAMER_CLOSED = 1011;

/** Codes of RFC 6455 and its registry after which the page does not reconnect at once. */
const STANDARD: ReadonlyMap<number, ReconnectAdvice> = new Map([
  [1000, 'never'], // normal closure
  [1001, 'now'], // no server of Pixelfleet sends it: the browser has closed the websocket, and the page has stayed
  [1002, 'never'], // protocol errors: the same messages would fail again
  [1003, 'never'],
  [1007, 'never'],
  [1009, 'never'],
  [1008, 'never'], // policy violation
  [STREAMER_CLOSED, 'never'],
  [1013, 'later'], // full, or no streamer
]);

/** The page negotiated no video: it refused the server's configuration of the peer connection. */
export const NO_MEDIA = 4205;

/** Browser and streamer have no video codec in common. */
export const NO_CODEC = 4207;

/** The longest reason that a websocket may be closed with, in bytes. */
const MAX_REASON_LENGTH = 123;

const WAITS: ReadonlyMap<number, WaitCause> = new Map([
  [4100, 'no-streamer'],
  [4101, 'closing'],
  [4102, 'full'],
  [4103, 'queue-timeout'],
  [4104, 'too-fast'],
  [4105, 'no-service'],
]);

const ENDS: ReadonlyMap<number, EndCause> = new Map([
  [1000, 'over'],
  [1002, 'incompatible'],
  [1003, 'incompatible'],
  [1007, 'incompatible'],
  [1009, 'incompatible'],
  [4200, 'not-allowed'],
  [4201, 'kicked'],
  [4202, 'over'],
  [4203, 'incompatible'],
  [4204, 'incompatible'],
  [NO_MEDIA, 'no-video'],
  [4206, 'not-found'],
  [NO_CODEC, 'codec'],
  [4208, 'elsewhere'],
  [4209, 'time-over'],
  [4210, 'idle'],
  [4211, 'too-many-sessions'],
  [4212, 'no-minutes'],
  [4213, 'session-full'],
]);

/** What to do after a websocket was closed with `code`. The servers' catalogue of close codes has the same rules. */
export function reconnectAdvice(code: number): ReconnectAdvice {
  const range = PIXELFLEET_RANGES.find(([first, last]) => code >= first && code <= last);
  return range?.[2] ?? STANDARD.get(code) ?? 'now';
}

/** Reduces a text to a reason with which a websocket may be closed: printable ASCII of bounded length. */
export function closeReason(text: string): string {
  return text.replace(/[^ -~]+/g, ' ').slice(0, MAX_REASON_LENGTH);
}

/** Whether `code` is one of Pixelfleet's own, which takes precedence over a refusal received before the close. */
export function isPixelfleetCode(code: number): boolean {
  return PIXELFLEET_RANGES.some(([first, last]) => code >= first && code <= last);
}

/** Why the page waits, after a close whose advice is "later". */
export function waitMeaning(code: number): CloseMeaning<WaitCause> {
  const cause = WAITS.get(code);
  return { cause: cause ?? (code === 1013 ? 'no-streamer' : 'no-service'), showReason: cause === undefined };
}

/**
 * Why the session ended, after a close whose advice is "never".
 *
 * @param played - whether video had played
 */
export function endMeaning(code: number, played: boolean): CloseMeaning<EndCause> {
  const cause = ENDS.get(code);
  if (cause !== undefined) {
    return { cause, showReason: false };
  }
  if (code === STREAMER_CLOSED) {
    return { cause: 'left', showReason: true };
  }
  return { cause: played && code !== 1008 ? 'over' : 'refused', showReason: true };
}
