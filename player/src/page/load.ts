import { PLAIN, readBranding, type Branding } from './branding';
import { CLOSED, readPageSettings, type PageSettings } from './page_settings';
import type { Complain } from './read';

/** How long the page waits for a document before it goes on without it, in milliseconds. */
const PATIENCE = 5_000;

/** Reads `branding.json` beside the page. */
export async function loadBranding(complain: Complain): Promise<Branding> {
  const document = await load('branding.json', complain);
  return document === undefined ? PLAIN : readBranding(document, complain);
}

/** Reads `page.json` beside the page. */
export async function loadPageSettings(complain: Complain): Promise<PageSettings> {
  const document = await load('page.json', complain);
  return document === undefined ? CLOSED : readPageSettings(document, complain);
}

/** The parsed document, or undefined where there is none: the page works without either of them. */
async function load(name: string, complain: Complain): Promise<unknown> {
  try {
    const response = await fetch(name, { priority: 'low', signal: AbortSignal.timeout(PATIENCE) });
    if (response.ok) {
      return (await response.json()) as unknown;
    }
    if (response.status !== 404) {
      complain(`${name}: HTTP ${String(response.status)}`);
    }
  } catch (error) {
    complain(`${name}: ${String(error)}`);
  }
  return undefined;
}
