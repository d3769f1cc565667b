import { refusalForStatus } from './close_codes';
import { plainUrl } from './url';

/**
 * Why a websocket was not let in. It does not tell itself: the same address, asked plainly, does by its status.
 *
 * @param url - what was dialled, ws or wss
 * @returns what the server wants and its HTTP status; undefined when it tells nothing, or is another than the page's
 */
export async function probeRefusal(
  url: string,
): Promise<{ refusal: NonNullable<ReturnType<typeof refusalForStatus>>; status: number } | undefined> {
  const { origin, href } = new URL(plainUrl(url));
  if (origin !== location.origin) {
    return undefined;
  }
  try {
    const { status } = await fetch(href, { method: 'HEAD', cache: 'no-store' });
    const refusal = refusalForStatus(status);
    return refusal && { refusal, status };
  } catch {
    return undefined; // it cannot be reached at all
  }
}
