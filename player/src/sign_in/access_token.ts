/** The subprotocol that is offered beside a token, and that the server selects. */
const SUBPROTOCOL = 'pixelfleet';

/** The prefix of the subprotocol that carries a token. */
const TOKEN = 'bearer.';

const MAX_LENGTH = 8 * 1024;

/** The token that an embedding page has handed over, until the page is closed. It is in no storage. */
let token: string | undefined;

/** Whether a value has the form of a bearer token (RFC 6750). */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_LENGTH && /^[\w.~+/-]+=*$/.test(value);
}

/** Uses a token for each further connection to the server; the next one replaces it. */
export function setToken(value: string): void {
  token = value;
}

/** The subprotocols of a new websocket; none without a token. */
export function subprotocols(): string[] {
  // "/" and "=" are not allowed in the name of a subprotocol, and no token of an issuer has them.
  return token === undefined || /[/=]/.test(token) ? [] : [SUBPROTOCOL, `${TOKEN}${token}`];
}

/** The header of a plain request to the websocket's URL; none without a token. */
export function authorization(): Readonly<Record<string, string>> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}
