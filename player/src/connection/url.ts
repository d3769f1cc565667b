/** The URL parameter that names another signalling server. */
const OVERRIDE = '_ws';

/**
 * The websocket URL of the page's own server: `ws` relative to the page, so that a path prefix needs no setting, with
 * the page's query, so that `?id=`, `?app=` and `?region=` reach the matchmaker.
 *
 * @param page - the page's own URL, http or https
 * @returns an absolute ws or wss URL
 */
export function signallingUrl(page: string): string {
  const here = new URL(page);
  const url = new URL('ws', here);
  url.protocol = here.protocol === 'https:' ? 'wss:' : 'ws:';
  url.search = here.search;
  return url.href;
}

/** Whether the page's URL names another signalling server. */
export function hasOverride(page: string): boolean {
  return new URL(page).searchParams.has(OVERRIDE);
}

/**
 * The websocket URL that `?_ws=` names, with the rest of the page's query.
 *
 * @param hosts - the allowed hosts, each with its port unless that is 443
 * @returns undefined when it is not allowed: the host is not listed, it is no websocket URL, it contains credentials,
 *   or it is unencrypted while the page itself is encrypted
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

/** Host and port in the form of the list: without the port only if it is 443, for ws as well as wss. */
function host(url: URL): string {
  if (url.protocol === 'ws:') {
    return url.port === '443' ? url.hostname : `${url.hostname}:${url.port === '' ? '80' : url.port}`;
  }
  return url.host;
}

/** The same URL for an HTTP request: http in place of ws, https in place of wss. */
export function httpUrl(url: string): string {
  return url.replace(/^ws/, 'http');
}
