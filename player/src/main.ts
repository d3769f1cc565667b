import { hasOverride, overriddenUrl, signallingUrl } from './connection/url';
import { ParentWindow } from './embed/parent_window';
import { DEFAULT_BRANDING } from './page/branding';
import { loadBranding, loadPageSettings } from './page/load';
import { Player } from './player';
import { IS_SUPPORTED, preconnected } from './preconnect';
import { PublicApi } from './public_api';
import { addressWithLink } from './sign_in/used_link';
import type { State } from './state';
import { StoppedPlayer } from './stopped_player';
import './style/tokens.css';
import './style/base.css';
import './style/overlay.css';
import './style/status_icon.css';
import './style/controls.css';
import './style/panel.css';
import './style/adaptations.css';
import { applyBranding } from './view/apply_branding';
import { Overlay } from './view/overlay';

/** Logs a problem in one of the operator's documents. */
function warn(problem: string): void {
  console.warn(problem); // eslint-disable-line no-console -- the operator looks there
}

/** Starts the player, and then loads the documents beside the page. */
async function start(): Promise<void> {
  // Only a link that names another server has to wait for page.json.
  const settings = hasOverride(location.href) ? await loadPageSettings(warn) : undefined;
  const url =
    settings === undefined
      ? signallingUrl(addressWithLink())
      : overriddenUrl(addressWithLink(), settings.signallingHosts);
  if (url === undefined) {
    await showEnd('link');
    return;
  }
  const player = new Player(url, preconnected);
  void brand(player);
  if (window.parent !== window) {
    player.connectParent(settings ?? (await loadPageSettings(warn)));
  } else {
    await player.startupDone; // so that it does not delay the first frame
    player.offerSignIn(settings ?? (await loadPageSettings(warn)));
  }
}

/** Shows why the page does not connect at all, also to scripts and to an embedding page. */
async function showEnd(cause: 'link' | 'unsupported'): Promise<void> {
  const state: State = { phase: 'ended', cause };
  const player = new StoppedPlayer(state);
  window.pixelfleet = new PublicApi(undefined, player);
  const overlay = new Overlay(DEFAULT_BRANDING.texts, () => undefined);
  overlay.show(state);
  if (window.parent !== window) {
    new ParentWindow(await loadPageSettings(warn), player);
  }
  await brand(overlay);
}

/** Loads and applies the branding, after the startup so that it does not delay the first frame. */
async function brand(view: Pick<Overlay, 'startupDone' | 'setTexts'>): Promise<void> {
  const [branding] = await Promise.all([loadBranding(warn), view.startupDone]);
  applyBranding(branding);
  view.setTexts(branding.texts);
}

if (IS_SUPPORTED) {
  void start();
} else {
  void showEnd('unsupported');
}
