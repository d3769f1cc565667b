/** The parameter with which a link names another server to dial. */
const OVERRIDE = '_ws';

/**
 * The address of the websocket for a page at `page`: `ws` beside the page, so that a path prefix needs no
 * setting, with the page's own query, so that `?id=`, `?app=` and `?region=` reach the matchmaker.
 *
 * @param page - the page's own address, http or https
 * @returns an absolute ws or wss address
 */
export function signallingUrl(page: string): string {
  const here = new URL(page);
  const url = new URL('ws', here);
  url.protocol = here.protocol === 'https:' ? 'wss:' : 'ws:';
  url.search = here.search;
  return url.href;
}

/** Whether the link asks for another server than the page's own. */
export function hasOverride(page: string): boolean {
  return new URL(page).searchParams.has(OVERRIDE);
}

/**
 * The address that a link's `?_ws=` names, with the rest of the page's query.
 *
 * @param hosts - the hosts that may be dialled, each with its port unless that is 443
 * @returns undefined when the page may not dial it: a host that is not listed, no websocket address, credentials
 *   in it, or no encryption where the page itself has it
 */
export function overriddenUrl(page: string, hosts: readonly string[]): string | undefined {
  const here = new URL(page);
  const wanted = here.searchParams.get(OVERRIDE) ?? '';
  if (!URL.canParse(wanted)) {
    return undefined;
  }
  const url = new URL(wanted);
  const schemes = here.protocol === 'https:' ? ['wss:'] : ['wss:', 'ws:'];
  if (!schemes.includes(url.protocol) || url.username !== '' || url.password !== '' || !hosts.includes(host(url))) {
    return undefined;
  }
  for (const [name, value] of here.searchParams) {
    if (name !== OVERRIDE) {
      url.searchParams.append(name, value);
    }
  }
  url.hash = '';
  return url.href;
}

/** Host and port as the list has them: only 443 goes without saying, whatever the scheme. */
function host(url: URL): string {
  if (url.protocol === 'ws:') {
    return url.port === '443' ? url.hostname : `${url.hostname}:${url.port === '' ? '80' : url.port}`;
  }
  return url.host;
}

/** The same address for a plain request, whose status tells why an upgrade was refused. */
export function plainUrl(url: string): string {
  return url.replace(/^ws/, 'http');
}
