import { isQuality, type Quality } from '../core';
import { optional } from '../optional';
import { isToken } from '../sign_in/access_token';

/** The version of the postMessage protocol. */
export const VERSION = 1;

/** A request of the embedding page. */
export type Request =
  | { method: 'state' }
  | { method: 'stats' }
  | { method: 'watch'; stats: boolean }
  | { method: 'interact'; value: object | string }
  | { method: 'control'; action: string; payload?: unknown }
  | { method: 'mute'; muted: boolean }
  | { method: 'fullscreen'; on: boolean }
  | { method: 'quality'; quality: Quality }
  | { method: 'screenshot' }
  | { method: 'leave' }
  | { method: 'token'; token: string }
  | { method: 'retry' };

/** Identifies the reply to a request; a request without an id gets no reply, and the event `refused` if it fails. */
export type RequestId = string | number | undefined;

/** A parsed message of the embedding page. */
export type Incoming =
  | { kind: 'request'; id: RequestId; request: Request }
  | { kind: 'invalid'; id: RequestId; problem: string }
  | { kind: 'invoke'; name: string; args: readonly unknown[] } // the legacy protocol
  | { kind: 'none' }; // unrelated: browser extensions and tools post messages too

/** The longest interaction or payload, in characters of JSON: the data channel's messages have 16 bits for it. */
export const MAX_VALUE_LENGTH = 65_535;

const MAX_ACTION_LENGTH = 512;
const MAX_ID_LENGTH = 64;
const MAX_ARGS = 8;

/** Parses an untrusted message; it never throws. */
export function parseMessage(data: unknown): Incoming {
  if (typeof data !== 'object' || data === null) {
    return { kind: 'none' };
  }
  const fields = data as Record<string, unknown>;
  if (typeof fields['invoke'] === 'string') {
    const args: unknown = fields['args'] ?? [];
    return Array.isArray(args) && args.length <= MAX_ARGS && fits(args)
      ? { kind: 'invoke', name: fields['invoke'], args }
      : { kind: 'none' };
  }
  if (fields['pixelfleet'] === undefined) {
    return { kind: 'none' };
  }
  const id = idOf(fields['id']);
  if (fields['pixelfleet'] !== VERSION) {
    return { kind: 'invalid', id, problem: `unsupported version: this page uses version ${String(VERSION)}` };
  }
  const request = parseRequest(fields);
  return typeof request === 'string' ? { kind: 'invalid', id, problem: request } : { kind: 'request', id, request };
}

function idOf(value: unknown): RequestId {
  const valid = typeof value === 'number' || (typeof value === 'string' && value.length <= MAX_ID_LENGTH);
  return valid ? value : undefined;
}

/** Returns the request, or an error. */
function parseRequest(fields: Readonly<Record<string, unknown>>): Request | string {
  switch (fields['method']) {
    case 'state':
    case 'stats':
    case 'screenshot':
    case 'leave':
    case 'retry':
      return { method: fields['method'] };
    case 'watch':
      return typeof fields['stats'] === 'boolean'
        ? { method: 'watch', stats: fields['stats'] }
        : 'watch: "stats" must be true or false';
    case 'mute':
      return typeof fields['muted'] === 'boolean'
        ? { method: 'mute', muted: fields['muted'] }
        : 'mute: "muted" must be true or false';
    case 'fullscreen':
      return typeof fields['on'] === 'boolean'
        ? { method: 'fullscreen', on: fields['on'] }
        : 'fullscreen: "on" must be true or false';
    case 'quality':
      return isQuality(fields['quality'])
        ? { method: 'quality', quality: fields['quality'] }
        : 'quality: "quality" must be "auto", "high", "medium" or "low"';
    case 'interact':
      return isInteraction(fields['value'])
        ? { method: 'interact', value: fields['value'] }
        : `interact: "value" must be an object or a string of at most ${String(MAX_VALUE_LENGTH)} characters`;
    case 'token':
      return isToken(fields['token'])
        ? { method: 'token', token: fields['token'] }
        : 'token: "token" must be an access token of at most 8192 characters';
    case 'control':
      return parseControl(fields['action'], fields['payload']);
    default:
      return 'unknown method';
  }
}

/** Returns the `control` request, or an error. */
export function parseControl(action: unknown, payload: unknown): Extract<Request, { method: 'control' }> | string {
  if (typeof action !== 'string' || action === '' || action.length > MAX_ACTION_LENGTH) {
    return `control: "action" must be a string of 1 to ${String(MAX_ACTION_LENGTH)} characters`;
  }
  if (!fits(payload)) {
    return `control: "payload" must be JSON of at most ${String(MAX_VALUE_LENGTH)} characters`;
  }
  return { method: 'control', action, ...optional('payload', payload) };
}

/** Whether a value can be sent to the application as an interaction. */
export function isInteraction(value: unknown): value is object | string {
  return (typeof value === 'string' || (typeof value === 'object' && value !== null)) && fits(value);
}

/** Whether a value can be serialized to JSON within the length limit. */
function fits(value: unknown): boolean {
  try {
    return value === undefined || JSON.stringify(value).length <= MAX_VALUE_LENGTH;
  } catch {
    return false; // a circular reference, a BigInt or a function
  }
}
