import { overriddenUrl, signallingUrl } from './connection/url';
import { IS_SUPPORTED, early } from './preconnect';
import './public_api';
import { loadBranding, loadPageSettings } from './page/load';
import { DEFAULT_BRANDING } from './page/branding';
import { Player } from './player';
import './style/tokens.css';
import './style/base.css';
import './style/overlay.css';
import './style/controls.css';
import './style/adaptations.css';
import { applyBranding } from './view/apply_branding';
import { Overlay } from './view/overlay';

/** Tells the operator, in the browser's console, what is wrong with a document. */
function warn(problem: string): void {
  console.warn(problem); // eslint-disable-line no-console -- the only place where an operator would look
}

/** Takes over what was dialled, and then reads the documents beside the page. */
async function start(): Promise<void> {
  // The one case in which dialling has to wait for a document.
  const allowed = early === undefined ? await loadPageSettings(warn) : undefined;
  const url = allowed === undefined ? signallingUrl(location.href) : overriddenUrl(location.href, allowed.signallingHosts);
  if (url === undefined) {
    await showEnd('link');
    return;
  }
  const player = new Player(url, early);
  void dress(player);
  if (window.parent !== window) {
    player.connectParent(allowed ?? (await loadPageSettings(warn)));
  }
}

/** Says why there is nothing to dial. */
async function showEnd(cause: 'link' | 'unsupported'): Promise<void> {
  const overlay = new Overlay(DEFAULT_BRANDING.texts, () => undefined);
  overlay.show({ phase: 'ended', cause });
  await dress(overlay);
}

/** Gives the page an operator's looks and words, once there is time for it. */
async function dress(view: Pick<Overlay, 'quiet' | 'setTexts'>): Promise<void> {
  const [branding] = await Promise.all([loadBranding(warn), view.quiet]);
  applyBranding(branding);
  view.setTexts(branding.texts);
}

if (IS_SUPPORTED) {
  void start();
} else {
  void showEnd('unsupported');
}
