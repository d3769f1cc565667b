/** What a close code asks the page to do: come back at once, come back later, or not at all. */
export type Advice = 'at-once' | 'later' | 'never';

/** The suite's own codes, in ranges that say what to do without a look at the single code. */
const OWN_RANGES: readonly (readonly [first: number, last: number, advice: Advice])[] = [
  [4000, 4099, 'at-once'],
  [4100, 4199, 'later'],
  [4200, 4299, 'never'],
];

/** The codes of RFC 6455 and its registry, as other servers and the proxies between use them. */
const COMMON: ReadonlyMap<number, Advice> = new Map([
  [1000, 'never'], // the session is over as it should be
  [1001, 'later'], // the server goes away
  [1002, 'never'], // each of these four would only happen again
  [1003, 'never'],
  [1007, 'never'],
  [1009, 'never'],
  [1005, 'at-once'], // closed with no code
  [1006, 'at-once'], // the connection broke
  [1008, 'never'], // refused by policy
  [1010, 'never'],
  [1011, 'later'], // the server's own error, or the streamer let this player go
  [1012, 'at-once'], // the server restarts
  [1013, 'later'], // overloaded, or no streamer
  [1014, 'later'], // a gateway got no answer
  [1015, 'never'], // TLS failed
]);

/** What to do after a websocket was closed with `code`; an unknown code says "later". */
export function adviceFor(code: number): Advice {
  const own = OWN_RANGES.find(([first, last]) => code >= first && code <= last);
  return own?.[2] ?? COMMON.get(code) ?? 'later';
}

/** Whether `code` is one of the suite's own, which outweighs anything that was said before the close. */
export function isOwnCode(code: number): boolean {
  return OWN_RANGES.some(([first, last]) => code >= first && code <= last);
}
