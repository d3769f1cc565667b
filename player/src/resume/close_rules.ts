import { reconnectAdvice } from '../connection/close_codes';

/** The session cannot be resumed. */
export const SESSION_GONE = 4007;

/** Messages were lost, and the session needs a new negotiation. */
export const MESSAGES_LOST = 4008;

/** To the server: the page returns to its session with a new negotiation. */
export const RETURNING = 4010;

/** A newer connection has taken the place of this one. */
export const ELSEWHERE = 4208;

/** No answer: a part of the way to the session's server is unavailable. */
const NO_ANSWER: readonly number[] = [4001, 4105];

/** Codes with which a connection ends, and not its session. */
const DROPPED: readonly number[] = [
  1001, // of the browser itself: Firefox closes websockets when it follows a link to a download
  1005,
  1006,
  1012,
  4002, // the server received no pong
  4003, // the server could not send
  4005, // the server restarts
];

/**
 * What follows a close.
 *
 * - `return`: the session goes on, over another connection
 * - `keep`: this connection ends for the library; the session is kept, and a next connection negotiates anew
 * - `gone`: the server has no such session
 * - `end`: the session is over
 */
export type Consequence = 'return' | 'keep' | 'gone' | 'end';

/**
 * What follows a close with `code`.
 *
 * @param settled - whether the server had accepted the connection; before that, a refusal for the moment is no end
 */
export function consequence(code: number, settled: boolean): Consequence {
  if (code === SESSION_GONE) {
    return 'gone';
  }
  if (code === MESSAGES_LOST || code === RETURNING || code === ELSEWHERE) {
    return 'keep';
  }
  if (DROPPED.includes(code) || isUnanswered(code) || (!settled && reconnectAdvice(code) === 'later')) {
    return 'return';
  }
  return 'end';
}

/** Whether `code` reports that the session's server does not answer. */
export function isUnanswered(code: number): boolean {
  return NO_ANSWER.includes(code);
}
