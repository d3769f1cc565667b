import type { EndCause, WaitCause } from '../state';

/** What a close code asks the page to do: come back at once, come back later, or not at all. */
export type ReconnectAdvice = 'now' | 'later' | 'never';

/** What a close means, and whether the reason that came with it tells more than the page's own words do. */
export interface CloseMeaning<Cause> {
  readonly cause: Cause;
  readonly showReason: boolean;
}

/** The suite's own codes, in ranges that say what to do without a look at the single code. */
const OWN_RANGES: readonly (readonly [first: number, last: number, advice: ReconnectAdvice])[] = [
  [4000, 4099, 'now'],
  [4100, 4199, 'later'],
  [4200, 4299, 'never'],
];

/** The codes of RFC 6455 and its registry that ask for anything but to come back at once. */
const COMMON: ReadonlyMap<number, ReconnectAdvice> = new Map([
  [1000, 'never'], // the session is over as it should be
  [1001, 'never'], // Epic's page stays away after it, so a server that means anything else says so
  [1002, 'never'], // what was wrong with the messages would be wrong again, in each of these four
  [1003, 'never'],
  [1007, 'never'],
  [1009, 'never'],
  [1008, 'never'], // refused by policy
  [1011, 'never'], // the streamer let this player go
  [1013, 'later'], // full, or no streamer
]);

const WAITS: ReadonlyMap<number, WaitCause> = new Map([
  [4100, 'no-streamer'],
  [4101, 'closing'],
  [4102, 'full'],
  [4103, 'queue-timeout'],
  [4104, 'too-fast'],
  [4105, 'no-service'],
]);

const ENDINGS: ReadonlyMap<number, EndCause> = new Map([
  [1000, 'over'],
  [1001, 'over'],
  [4200, 'not-allowed'],
  [4201, 'kicked'],
  [4202, 'over'],
]);

/** What to do after a websocket was closed with `code`; the servers' catalogue of codes says the same. */
export function reconnectAdvice(code: number): ReconnectAdvice {
  const own = OWN_RANGES.find(([first, last]) => code >= first && code <= last);
  return own?.[2] ?? COMMON.get(code) ?? 'now';
}

/** Whether `code` is one of the suite's own, which outweighs anything that was said before the close. */
export function isPixelfleetCode(code: number): boolean {
  return OWN_RANGES.some(([first, last]) => code >= first && code <= last);
}

/** What the person waits for after a close whose advice is "later". */
export function waitMeaning(code: number): CloseMeaning<WaitCause> {
  const cause = WAITS.get(code);
  return { cause: cause ?? (code === 1013 ? 'no-streamer' : 'no-service'), showReason: cause === undefined };
}

/**
 * Why it is over after a close whose advice is "never".
 *
 * @param played - whether a picture was there before
 */
export function endMeaning(code: number, played: boolean): CloseMeaning<EndCause> {
  const cause = ENDINGS.get(code);
  if (cause !== undefined) {
    return { cause, showReason: false };
  }
  if (code === 1011) {
    return { cause: 'left', showReason: true };
  }
  return { cause: played && code !== 1008 ? 'over' : 'refused', showReason: true };
}

/** What a server that answered an upgrade with an HTTP status wants; undefined when the status tells nothing. */
export function refusalForStatus(status: number): 'not-allowed' | 'too-fast' | 'full' | undefined {
  switch (status) {
    case 401:
    case 403:
      return 'not-allowed';
    case 429:
      return 'too-fast';
    case 503:
      return 'full';
    default:
      return undefined;
  }
}
