import { overriddenUrl, signallingUrl } from './connection/url';
import { CAN_PLAY, early } from './dial';
import './handle';
import { loadBranding, loadPageSettings } from './page/load';
import { PLAIN } from './page/branding';
import { Player } from './player';
import './style/tokens.css';
import './style/base.css';
import './style/overlay.css';
import './style/controls.css';
import './style/adaptations.css';
import { wear } from './view/brand';
import { Overlay } from './view/overlay';

/** Tells the operator, in the browser's console, what is wrong with a document. */
function complain(problem: string): void {
  console.warn(problem); // eslint-disable-line no-console -- the only place where an operator would look
}

/** Takes over what was dialled, and then reads the documents beside the page. */
async function start(): Promise<void> {
  // The one case in which dialling has to wait for a document.
  const allowed = early === undefined ? await loadPageSettings(complain) : undefined;
  const url = allowed === undefined ? signallingUrl(location.href) : overriddenUrl(location.href, allowed.signallingHosts);
  if (url === undefined) {
    await showEnd('link');
    return;
  }
  const player = new Player(url, early);
  void dress(player);
  if (window.parent !== window) {
    player.meetParent(allowed ?? (await loadPageSettings(complain)));
  }
}

/** Says why there is nothing to dial. */
async function showEnd(cause: 'link' | 'unsupported'): Promise<void> {
  const overlay = new Overlay(PLAIN.texts, () => undefined);
  overlay.show({ phase: 'ended', cause });
  await dress(overlay);
}

/** Gives the page an operator's looks and words, once there is time for it. */
async function dress(view: Pick<Overlay, 'quiet' | 'speak'>): Promise<void> {
  const [branding] = await Promise.all([loadBranding(complain), view.quiet]);
  wear(branding);
  view.speak(branding.texts);
}

if (CAN_PLAY) {
  void start();
} else {
  void showEnd('unsupported');
}
