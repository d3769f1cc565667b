import { flag, objectFields, stringList, warnUnknownFields, type Warn } from './fields';

/** The parsed document `page.json`: what the operator allows the page to do with other origins. */
export interface PageSettings {
  /** Origins of embedding pages that may exchange messages with this one, such as `https://shop.example`. */
  readonly parents: readonly string[];
  /** Names of the functions that those pages may call with `{invoke, args}`, the legacy protocol. */
  readonly functions: readonly string[];
  /** Hosts that `?_ws=` may name, with their port unless it is 443. */
  readonly signallingHosts: readonly string[];
  /** Whether players sign in with the browser, at `sign-in` beside the page. */
  readonly signIn: boolean;
}

/** The settings of a page without a `page.json`: nothing is allowed. */
export const DEFAULT_PAGE_SETTINGS: PageSettings = {
  parents: [],
  functions: [],
  signallingHosts: [],
  signIn: false,
};

/** The highest number of entries in a list. */
const MAX_ENTRIES = 64;

/** Validates `page.json`. An invalid part is ignored with a warning. */
export function readPageSettings(document: unknown, warn: Warn): PageSettings {
  const fields = objectFields(document, 'page.json', warn);
  warnUnknownFields(fields, ['parents', 'functions', 'signallingHosts', 'signIn'], 'page.json: ', warn);
  const list = (name: string, accept: (entry: string) => string | undefined): readonly string[] =>
    stringList(fields[name], `page.json: ${name}`, MAX_ENTRIES, accept, warn);
  return {
    parents: list('parents', origin),
    functions: list('functions', (entry) => (/^[A-Za-z]\w{0,63}$/.test(entry) ? entry : undefined)),
    signallingHosts: list('signallingHosts', host),
    signIn: flag(fields['signIn'], 'page.json: signIn', warn),
  };
}

/** Accepts an origin as browsers serialize it; "*" and "null" are not allowed. */
function origin(entry: string): string | undefined {
  const url = parsed(entry);
  const web = url?.protocol === 'https:' || url?.protocol === 'http:';
  return web && url.origin === entry.replace(/\/$/, '').toLowerCase() ? url.origin : undefined;
}

/** Accepts a host in the form of a wss URL: lower case, no path, and no port if it is 443. */
function host(entry: string): string | undefined {
  const url = parsed(`wss://${entry}`);
  return url?.href === `wss://${url?.host ?? ''}/` && !entry.includes('/') ? url.host : undefined;
}

/** Parses a URL without "*": browsers treat it as a normal character, but people read it as a wildcard. */
function parsed(text: string): URL | undefined {
  return URL.canParse(text) && !text.includes('*') ? new URL(text) : undefined;
}
