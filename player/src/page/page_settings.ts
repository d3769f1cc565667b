import { objectFields, stringList, warnUnknownFields, type Warn } from './fields';

/** What an operator allows the page to do with others: the document `page.json`. */
export interface PageSettings {
  /** Origins of pages that may embed this one and talk to it, such as `https://shop.example`. */
  readonly parents: readonly string[];
  /** Names of the functions that those pages may call with the older `{invoke, args}` messages. */
  readonly functions: readonly string[];
  /** Hosts, with their port where it is not the usual one, that a link may name with `?_ws=`. */
  readonly signallingHosts: readonly string[];
}

/** Nobody may do anything: what holds where there is no document. */
export const DEFAULT_PAGE_SETTINGS: PageSettings = { parents: [], functions: [], signallingHosts: [] };

/** The longest list that is read. */
const MOST = 64;

/** Reads `page.json`; what is not understood is left out and complained of. */
export function readPageSettings(document: unknown, warn: Warn): PageSettings {
  const fields = objectFields(document, 'page.json', warn);
  warnUnknownFields(fields, ['parents', 'functions', 'signallingHosts'], 'page.json: ', warn);
  const list = (name: string, accept: (entry: string) => string | undefined): readonly string[] =>
    stringList(fields[name], `page.json: ${name}`, MOST, accept, warn);
  return {
    parents: list('parents', origin),
    functions: list('functions', (entry) => (/^[A-Za-z]\w{0,63}$/.test(entry) ? entry : undefined)),
    signallingHosts: list('signallingHosts', host),
  };
}

/** An origin as browsers write it; "*" and "null" are none. */
function origin(entry: string): string | undefined {
  const url = parsed(entry);
  const web = url?.protocol === 'https:' || url?.protocol === 'http:';
  return web && url.origin === entry.replace(/\/$/, '').toLowerCase() ? url.origin : undefined;
}

/** A host as a URL has it: lower case, without a path, and with a port only where it is not 443. */
function host(entry: string): string | undefined {
  const url = parsed(`wss://${entry}`);
  return url?.href === `wss://${url?.host ?? ''}/` && !entry.includes('/') ? url.host : undefined;
}

/** A URL without a star in it: to browsers that is a name like any other, to people it means "all". */
function parsed(text: string): URL | undefined {
  return URL.canParse(text) && !text.includes('*') ? new URL(text) : undefined;
}
