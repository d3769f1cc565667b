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
