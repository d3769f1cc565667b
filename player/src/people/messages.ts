import { cleanText } from '../connection/messages';
import { optional } from '../optional';

export const ROLES = ['host', 'guest', 'spectator'] as const;
export type PersonRole = (typeof ROLES)[number];
export type InvitedRole = Exclude<PersonRole, 'host'>;

/** One person of a session. */
export interface Person {
  /** The number that messages about the person contain. */
  readonly id: number;
  readonly role: PersonRole;
  readonly name?: string;
  /** The host has turned the person's input off. */
  readonly muted?: true;
  /** The person has lost its connection, and may return. */
  readonly away?: true;
}

/** The people of a session, as the server sends them to a page that has asked. */
export interface People {
  /** This page's own number. */
  readonly self: number;
  /** Whether this page may invite people, and decide about them. */
  readonly mayInvite: boolean;
  /** The most people of a session. */
  readonly limit: number;
  readonly people: readonly Person[];
}

/** The server's answer to the request for an invite. */
export type Invited = { readonly token: string } | { readonly error: string };

/** The longest list that is shown. */
const MAX_PEOPLE = 256;

/** Parses a `people` message; undefined when this page is not among the people. */
export function parsePeople(message: unknown): People | undefined {
  const fields = record(message);
  const listed: readonly unknown[] = Array.isArray(fields['people']) ? fields['people'] : [];
  const people = listed.slice(0, MAX_PEOPLE).flatMap((each) => parsePerson(each) ?? []);
  const self = people.find(({ id }) => id === fields['self']);
  if (self === undefined) {
    return undefined;
  }
  const limit = typeof fields['limit'] === 'number' ? fields['limit'] : people.length;
  return { self: self.id, mayInvite: fields['mayInvite'] === true && self.role === 'host', limit, people };
}

/** Parses an `invited` message. */
export function parseInvited(message: unknown): Invited {
  const { token, error } = record(message);
  return typeof token === 'string' && /^[\w.-]+$/.test(token) ? { token } : { error: cleanText(error) ?? '' };
}

/** Returns the person of this page. */
export function ownPerson({ self, people }: People): Person | undefined {
  return people.find(({ id }) => id === self);
}

/**
 * Returns the link with which an invited person opens this page.
 *
 * @param page - the URL of this page, whose query is that of the host: only the choice of the server is kept
 */
export function inviteLink(page: string, token: string): string {
  const url = new URL(page);
  const server = url.searchParams.get('_ws');
  url.search = '';
  url.hash = '';
  if (server !== null) {
    url.searchParams.set('_ws', server);
  }
  url.searchParams.set('invite', token);
  return url.href;
}

function parsePerson(value: unknown): Person | undefined {
  const { id, role, name, muted, away } = record(value);
  const known = ROLES.find((each) => each === role);
  if (typeof id !== 'number' || known === undefined) {
    return undefined;
  }
  return {
    id,
    role: known,
    ...optional('name', cleanText(name)),
    ...(muted === true && { muted }),
    ...(away === true && { away }),
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
