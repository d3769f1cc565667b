import type { EndCause, WaitCause } from '../state';

/** Why a websocket upgrade failed, and whether the page waits or ends. */
export type Refusal = { readonly wait: WaitCause } | { readonly end: EndCause };

/** The header in which our servers give the reason of a refusal; a proxy's own answers do not have it. */
export const REFUSAL_HEADER = 'X-Pixelfleet-Refusal';

/** The reasons that the page shows, of those in docs/reference/router.md. */
const BY_REASON: ReadonlyMap<string, Refusal> = new Map<string, Refusal>([
  ['forbidden', { end: 'not-allowed' }],
  ['full', { wait: 'full' }],
  ['origin-not-allowed', { end: 'origin' }],
  ['shutting-down', { wait: 'closing' }],
  ['too-many-players', { wait: 'too-fast' }],
  ['too-many-requests', { wait: 'too-fast' }],
  ['unauthenticated', { end: 'not-allowed' }],
  ['unavailable', { wait: 'no-service' }],
  ['upgrade-required', { wait: 'upgrade' }],
]);

/** Statuses from here on are those of a proxy that gets no answer from the server behind it. */
const BAD_GATEWAY = 502;

/**
 * What the answer to a plain request for the websocket's URL means.
 *
 * @param status - the HTTP status
 * @param reason - the value of REFUSAL_HEADER, or undefined without it
 * @returns undefined when the answer gives no reason that the page shows
 */
export function refusalOf(status: number, reason: string | undefined): Refusal | undefined {
  const known = reason === undefined ? undefined : BY_REASON.get(reason);
  if (known !== undefined) {
    return known;
  }
  switch (status) {
    case 401:
    case 403:
      return { end: 'not-allowed' };
    case 426: // a websocket would be accepted: the upgrade has not arrived as one
      return { wait: 'upgrade' };
    case 429:
      return { wait: 'too-fast' };
    default:
      return status >= BAD_GATEWAY && reason === undefined ? { wait: 'gateway' } : undefined;
  }
}
