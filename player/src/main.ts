import { hasOverride, overriddenUrl, signallingUrl } from './connection/url';
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

/** Dials at once, and shows what comes of it; the documents beside the page are read meanwhile. */
async function start(): Promise<void> {
  const branding = loadBranding(complain);
  const settings = loadPageSettings(complain);
  let url: string | undefined = signallingUrl(location.href);
  if (hasOverride(location.href)) {
    // The one case in which dialling has to wait for a document.
    url = overriddenUrl(location.href, (await settings).signallingHosts);
  }
  if (url === undefined) {
    await showEnd('link', branding);
    return;
  }
  const player = new Player(url);
  void branding.then((read) => {
    wear(read);
    player.speak(read.texts);
  });
  void settings.then((read) => {
    player.meetParent(read);
  });
}

/** Says why there is nothing to dial. */
async function showEnd(cause: 'link' | 'unsupported', branding = loadBranding(complain)): Promise<void> {
  const overlay = new Overlay(PLAIN.texts, () => undefined);
  overlay.show({ phase: 'ended', cause });
  const read = await branding;
  wear(read);
  overlay.speak(read.texts);
}

if (typeof RTCPeerConnection === 'function' && typeof WebSocket === 'function') {
  void start();
} else {
  void showEnd('unsupported');
}
