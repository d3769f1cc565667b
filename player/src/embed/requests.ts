import { optional } from '../optional';

/** The version of the messages between the page and the page that embeds it. */
export const VERSION = 1;

/** What an embedding page may ask. */
export type Request =
  | { method: 'state' }
  | { method: 'stats' }
  | { method: 'watch'; stats: boolean }
  | { method: 'interact'; value: object | string }
  | { method: 'control'; action: string; payload?: unknown }
  | { method: 'retry' };

/** Under what name a request is answered; without one there is no answer. */
export type RequestId = string | number | undefined;

/** A message of an embedding page, read. */
export type Incoming =
  | { kind: 'request'; id: RequestId; request: Request }
  | { kind: 'invalid'; id: RequestId; problem: string }
  | { kind: 'invoke'; name: string; args: readonly unknown[] } // the older dialect
  | { kind: 'none' }; // not for this page: browser extensions and tools post messages too

/** The longest interaction or payload, in characters of JSON. */
export const LONGEST_VALUE = 65_536;

const LONGEST_ACTION = 512;
const LONGEST_ID = 64;
const MOST_ARGS = 8;

/** Reads whatever was posted; it never throws. */
export function readMessage(data: unknown): Incoming {
  if (typeof data !== 'object' || data === null) {
    return { kind: 'none' };
  }
  const fields = data as Record<string, unknown>;
  if (typeof fields['invoke'] === 'string') {
    const args: unknown = fields['args'] ?? [];
    return Array.isArray(args) && args.length <= MOST_ARGS && fits(args)
      ? { kind: 'invoke', name: fields['invoke'], args }
      : { kind: 'none' };
  }
  if (fields['pixelfleet'] === undefined) {
    return { kind: 'none' };
  }
  const id = idOf(fields['id']);
  if (fields['pixelfleet'] !== VERSION) {
    return { kind: 'invalid', id, problem: `this page speaks version ${String(VERSION)}` };
  }
  const request = readRequest(fields);
  return typeof request === 'string' ? { kind: 'invalid', id, problem: request } : { kind: 'request', id, request };
}

function idOf(value: unknown): RequestId {
  const fine = typeof value === 'number' || (typeof value === 'string' && value.length <= LONGEST_ID);
  return fine ? value : undefined;
}

/** The request, or what is wrong with it. */
function readRequest(fields: Readonly<Record<string, unknown>>): Request | string {
  switch (fields['method']) {
    case 'state':
    case 'stats':
    case 'retry':
      return { method: fields['method'] };
    case 'watch':
      return typeof fields['stats'] === 'boolean'
        ? { method: 'watch', stats: fields['stats'] }
        : 'watch: "stats" must be true or false';
    case 'interact':
      return isInteraction(fields['value'])
        ? { method: 'interact', value: fields['value'] }
        : `interact: "value" must be an object or a text of at most ${String(LONGEST_VALUE)} characters`;
    case 'control':
      return readControl(fields['action'], fields['payload']);
    default:
      return 'no such method';
  }
}

/** A `control` request, or what is wrong with it. */
export function readControl(action: unknown, payload: unknown): Extract<Request, { method: 'control' }> | string {
  if (typeof action !== 'string' || action === '' || action.length > LONGEST_ACTION) {
    return `control: "action" must be a path of 1 to ${String(LONGEST_ACTION)} characters`;
  }
  if (!fits(payload)) {
    return `control: "payload" must be JSON of at most ${String(LONGEST_VALUE)} characters`;
  }
  return { method: 'control', action, ...optional('payload', payload) };
}

/** Whether a value can be sent to the application as an interaction. */
export function isInteraction(value: unknown): value is object | string {
  return (typeof value === 'string' || (typeof value === 'object' && value !== null)) && fits(value);
}

/** Whether a value is JSON, and not too much of it. */
function fits(value: unknown): boolean {
  try {
    return value === undefined || JSON.stringify(value).length <= LONGEST_VALUE;
  } catch {
    return false; // a circle, a big integer, or nothing that JSON has a word for
  }
}
