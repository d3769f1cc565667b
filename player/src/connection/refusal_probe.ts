import { refusalForStatus, type Refusal } from './close_codes';
import { httpUrl } from './url';

/**
 * Finds out why a websocket upgrade was refused. Browsers hide the HTTP status of a refused upgrade; a plain request
 * to the same URL gets the same status.
 *
 * @param url - the URL of the websocket, ws or wss
 * @returns the refusal and its HTTP status; undefined when the status is not a refusal, or the server is not the
 *   page's own
 */
export async function probeRefusal(url: string): Promise<{ refusal: Refusal; status: number } | undefined> {
  const { origin, href } = new URL(httpUrl(url));
  if (origin !== location.origin) {
    return undefined;
  }
  try {
    const { status } = await fetch(href, { method: 'HEAD', cache: 'no-store' });
    const refusal = refusalForStatus(status);
    return refusal && { refusal, status };
  } catch {
    return undefined; // the server is unreachable
  }
}
