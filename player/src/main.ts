import { hasOverride, overriddenUrl } from './connection/url';
import { IS_SUPPORTED, signallingUrl, type State } from './core';
import type { PlayerApi } from './embed/bridge';
import type { ParentWindow } from './embed/parent_window';
import { DEFAULT_BRANDING } from './page/branding';
import { loadBranding, loadPageSettings } from './page/load';
import type { PageSettings } from './page/page_settings';
import { Player } from './player';
import { preconnected } from './preconnect';
import { PublicApi } from './public_api';
import { addressWithLink } from './sign_in/used_link';
import { StoppedPlayer } from './stopped_player';
import './style/tokens.css';
import './style/base.css';
import './style/overlay.css';
import './style/status_icon.css';
import './style/controls.css';
import './style/panel.css';
import './style/people.css';
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
    player.connectParent(await embed(player, settings));
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
    await embed(player);
  }
  await brand(overlay);
}

/** Starts the message exchange with the embedding page, if the operator's settings allow it. */
async function embed(player: PlayerApi, known?: PageSettings): Promise<ParentWindow> {
  const [settings, { ParentWindow }] = await Promise.all([
    known ?? loadPageSettings(warn),
    import('./embed/parent_window'), // a page of its own does not need it
  ]);
  return new ParentWindow(settings, player);
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
