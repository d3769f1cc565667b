import { optional } from '../optional';
import { hasPlayed, type State, type StateEvent } from '../state';
import { endMeaning, waitMeaning, type ReconnectAdvice } from './close_codes';
import { cleanText } from './messages';

/** The part of a close that the page reads; the reason is untrusted. */
export type Close = Pick<CloseEvent, 'code' | 'reason'>;

/** The page reconnects later: requests reach the server, and websockets do not. 426 is the status of such a request. */
export const UPGRADE_BLOCKED: StateEvent = { type: 'deferred', cause: 'upgrade', code: 426 };

/** What the page does not reconnect after, or no longer. */
export function endOf(advice: ReconnectAdvice, { code, reason }: Close, state: State): StateEvent {
  if (advice === 'never') {
    const { cause, showReason } = endMeaning(code, hasPlayed(state));
    return { type: 'ended', cause, code, ...optional('text', showReason ? cleanText(reason) : undefined) };
  }
  return { type: 'ended', cause: 'unreachable', code, ...(state.phase === 'waiting' && { waited: state.cause }) };
}

/** What the page reconnects after, now or later; `lasting` after several attempts in a row that failed. */
export function waitOf(advice: ReconnectAdvice, { code, reason }: Close, lasting: boolean): StateEvent {
  if (advice !== 'later') {
    return { type: 'disconnected', ...(lasting && { lasting }) };
  }
  const { cause, showReason } = waitMeaning(code);
  return { type: 'deferred', cause, ...optional('text', showReason ? cleanText(reason) : undefined) };
}
