import type { PreconnectedSocket } from './connection/preconnected_socket';
import { KeptSettings } from './connection/kept_settings';
import {
  hasStreamer,
  initialSettings,
  settingsToKeep,
  StreamPlayer,
  type Quality,
  type State,
  type StreamStats,
} from './core';
import type { PlayerApi } from './embed/bridge';
import type { ParentWindow } from './embed/parent_window';
import { DEFAULT_BRANDING } from './page/branding';
import type { PageSettings } from './page/page_settings';
import { PublicApi } from './public_api';
import { LazyParts } from './settings/lazy';
import { Account } from './sign_in/account';
import { forgetLink, hideUsedLink } from './sign_in/used_link';
import type { TextKey, Texts } from './texts';
import { AwayMark } from './view/away_mark';
import { captureControlKeys } from './view/control_keys';
import { Countdown } from './view/countdown';
import { Dock } from './view/dock';
import { element } from './view/dom';
import { Fullscreen } from './view/fullscreen';
import { showLeaveButton } from './view/leave';
import { OnScreenKeyboard } from './view/on_screen_keyboard';
import { Overlay } from './view/overlay';
import { Panel } from './view/panel';
import { PeopleControls } from './view/people_controls';
import { Sound } from './view/sound';
import { Toast } from './view/toast';

/** Creates a stream player and its views, and passes events between them. */
export class Player implements PlayerApi {
  readonly #core: StreamPlayer;
  readonly #overlay: Overlay;
  readonly #panel: Panel;
  readonly #people: PeopleControls;
  readonly #stateViews: readonly { show(state: State): void }[];
  readonly #textViews: readonly { setTexts(texts: Texts): void }[];
  readonly #toast = new Toast();
  readonly #fullscreen: Fullscreen;
  #account: Account | undefined;
  #texts: Texts = DEFAULT_BRANDING.texts;
  #parent: ParentWindow | undefined;

  /**
   * @param url - the URL of the server, ws or wss
   * @param preconnected - the websocket to it, if it was opened already
   */
  constructor(url: string, preconnected: PreconnectedSocket | undefined) {
    const settings = initialSettings(url, new URLSearchParams(location.search));
    this.#core = new StreamPlayer({ stage: element('stage', HTMLElement), settings, socket: preconnected });
    const { stream, media, transport } = this.#core;
    this.#overlay = new Overlay(this.#texts, () => {
      this.retry();
    });
    this.#fullscreen = new Fullscreen(this.#texts);
    const sound = new Sound(this.#texts, stream, media);
    this.#panel = new Panel(this.#texts, this.#core, () => {
      this.#people.panel.hide();
    });
    this.#people = new PeopleControls(this.#texts, stream, transport, this.#toast, () => {
      this.#panel.hide();
    });
    captureControlKeys(); // before the dock, which stops the propagation of the shortcut
    const dock = new Dock(this.#texts, () => this.#panel.open || this.#people.panel.open);
    const away = new AwayMark(this.#texts);
    const countdown = new Countdown(this.#texts, () => {
      this.#core.confirmPresence();
    });
    const views = [this.#overlay, sound, this.#panel, this.#people, dock, away, countdown];
    this.#stateViews = [...views, new OnScreenKeyboard(stream)];
    this.#textViews = [...views, this.#fullscreen];
    this.#listenToCore();
    this.#show(this.state);
    this.#listenToGamepads();
    this.#addSettings();
    window.pixelfleet = new PublicApi(stream, this);
    this.#core.connect();
  }

  get state(): State {
    return this.#core.state;
  }

  get stats(): StreamStats | undefined {
    return this.#core.stats;
  }

  interact(value: object | string): boolean {
    return this.#core.interact(value);
  }

  command(value: object): boolean {
    return this.#core.command(value);
  }

  control(action: string, payload: unknown): boolean {
    return this.#core.control(action, payload);
  }

  testLatency(): boolean {
    return hasStreamer(this.state) && this.#panel.testLatency();
  }

  retry(): void {
    this.#core.retry();
  }

  mute(muted: boolean): void {
    this.#core.media.mute(muted);
  }

  leave(): void {
    this.#core.leave();
  }

  fullscreen(on: boolean): Promise<void> {
    return this.#fullscreen.set(on);
  }

  setQuality(quality: Quality): void {
    this.#core.media.setQuality(quality);
  }

  screenshot(): Promise<Blob> {
    return this.#core.media.screenshot();
  }

  useToken(token: string): void {
    this.#core.useToken(token);
  }

  /** Lets a refused person sign in, and a signed-in one sign out, if `settings` have it. */
  offerSignIn(settings: PageSettings): void {
    if (settings.signIn) {
      this.#overlay.offerSignIn();
      this.#account = new Account(this.#texts, () => {
        this.#core.leave(); // or the next person at this browser would return to the session
      });
    }
  }

  /** See Overlay.startupDone. */
  get startupDone(): Promise<void> {
    return this.#overlay.startupDone;
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    for (const view of this.#textViews) {
      view.setTexts(texts);
    }
    this.#account?.setTexts(texts);
  }

  /** Passes states, statistics and responses to the embedding page. */
  connectParent(parent: ParentWindow): void {
    this.#parent = parent;
  }

  #show(state: State): void {
    if (hasStreamer(state)) {
      hideUsedLink();
    } else if (state.phase === 'ended' && state.cause === 'not-allowed') {
      forgetLink();
    }
    for (const view of this.#stateViews) {
      view.show(state);
    }
    this.#parent?.bridge?.onState(state);
  }

  #listenToCore(): void {
    this.#core.on('state', (state) => {
      this.#show(state);
    });
    this.#core.on('stats', (stats) => {
      this.#panel.setStats(stats);
      this.#parent?.bridge?.onStats(stats);
    });
    this.#core.on('response', (text) => {
      this.#parent?.bridge?.onResponse(text);
    });
    this.#core.on('control', (message) => {
      this.#parent?.bridge?.onControlResponse(message);
    });
    this.#core.on('matchmaker', (message) => {
      this.#parent?.bridge?.onMatchmaker(message);
    });
  }

  #addSettings(): void {
    const { stream } = this.#core;
    const kept = new KeptSettings(stream, settingsToKeep(new URLSearchParams(location.search)));
    new LazyParts({
      stream,
      texts: () => this.#texts,
      choose: (id, value) => {
        kept.choose(id, value);
      },
      renegotiate: () => {
        this.#core.renegotiate();
      },
      notify: (text) => {
        this.#toast.show(text);
      },
    });
    showLeaveButton(() => {
      this.leave();
    });
    document.documentElement.toggleAttribute('data-no-controls', stream.config.isFlagEnabled('HideUI'));
  }

  #listenToGamepads(): void {
    const update = (notice: TextKey, id: string | undefined): void => {
      this.#panel.setGamepad(id);
      if (this.state.phase === 'playing') {
        this.#toast.show(this.#texts[notice]);
      }
    };
    window.addEventListener('gamepadconnected', ({ gamepad }) => {
      update('notice.gamepad', gamepad.id);
    });
    window.addEventListener('gamepaddisconnected', () => {
      update('notice.gamepad.gone', navigator.getGamepads().find((gamepad) => gamepad !== null)?.id);
    });
  }
}
