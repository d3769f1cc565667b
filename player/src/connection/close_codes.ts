/** What a close code asks the page to do: come back at once, come back later, or not at all. */
export type Advice = 'at-once' | 'later' | 'never';

/** The suite's own codes, in ranges that say what to do without a look at the single code. */
const OWN_RANGES: readonly (readonly [first: number, last: number, advice: Advice])[] = [
  [4000, 4099, 'at-once'],
  [4100, 4199, 'later'],
  [4200, 4299, 'never'],
];

/** The codes of RFC 6455 and its registry that ask for anything but to come back at once. */
const COMMON: ReadonlyMap<number, Advice> = new Map([
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

/** What to do after a websocket was closed with `code`; the servers' catalogue of codes says the same. */
export function adviceFor(code: number): Advice {
  const own = OWN_RANGES.find(([first, last]) => code >= first && code <= last);
  return own?.[2] ?? COMMON.get(code) ?? 'at-once';
}

/** Whether `code` is one of the suite's own, which outweighs anything that was said before the close. */
export function isOwnCode(code: number): boolean {
  return OWN_RANGES.some(([first, last]) => code >= first && code <= last);
}
