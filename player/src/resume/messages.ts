import { optional } from '../optional';

/** The part of a message that the transport reads. */
export type Message = Readonly<Record<string, unknown>>;

/** Parses a text message; undefined when it is no JSON object. */
export function parse(text: string): Message | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null ? (message as Message) : undefined;
  } catch {
    return undefined;
  }
}

/** A message of the heartbeat, with the number of messages that were received in the session if there is one. */
export function ping(now: number, received: number | undefined): string {
  return JSON.stringify({ type: 'ping', time: Math.round(now), ...optional('received', received) });
}

/** The answer to a message of the other side's heartbeat. */
export function pong(ping: Message): string {
  return JSON.stringify({ type: 'pong', time: ping['time'] });
}

/** The number of messages in a field of a message; undefined when it is none. */
export function countIn(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A `session` message: the token of a place in the queue or of a session, or the answer to a return. */
export interface SessionMessage {
  readonly token?: string;
  /** Whether the server has resumed the session, and how many messages it has received in it. */
  readonly resumed?: { readonly received: number | undefined };
  /** How long the session is kept without a connection, in milliseconds. */
  readonly window?: number;
  /** Whether it comes from the session's server: that one keeps sessions over a reload too. */
  readonly isServers: boolean;
}

/** Reads the fields of a `session` message; a field of the wrong type is treated as missing. */
export function sessionMessage(message: Message): SessionMessage {
  const { token, resumed, received, resumeSeconds: seconds, reloadSeconds } = message;
  return {
    ...(typeof token === 'string' && { token }),
    ...(resumed === true && { resumed: { received: countIn(received) } }),
    ...(typeof seconds === 'number' && seconds >= 0 && { window: seconds * 1_000 }),
    isServers: typeof reloadSeconds === 'number',
  };
}
