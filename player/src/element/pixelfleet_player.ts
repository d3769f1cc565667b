import {
  IS_SUPPORTED,
  openPlayer,
  type Quality,
  type State,
  type StreamPlayer,
  type StreamStats,
} from '../core';
import { KeyboardFocus } from './keyboard_focus';

/** The name of the element. */
export const TAG = 'pixelfleet-player';

/** The events of the element, each with its `detail`. They do not bubble. */
export interface PixelfleetPlayerEventMap {
  /** Each new state; the first is `connecting`. */
  'player-state': CustomEvent<State>;
  /** Statistics, about once a second while video plays. */
  'player-stats': CustomEvent<StreamStats>;
  /** What the application sent over the data channel. */
  'player-response': CustomEvent<string>;
}

/** The base class; another one where there is no document, so that a server can import the package. */
const ElementBase = typeof HTMLElement === 'function' ? HTMLElement : (Object as unknown as typeof HTMLElement);

/** Low specificity, so that any rule of the page has priority. */
const STYLE = `:where(${TAG}) { display: block; position: relative; overflow: hidden; aspect-ratio: 16 / 9; background: #000; }
:where(${TAG}) > [data-stage] { position: absolute; inset: 0; }`;

/**
 * Plays the stream of a player page: `<pixelfleet-player src="https://play.example/?app=harbour">`.
 *
 * It has no user interface but the video. The attribute `data-phase` has the phase of the state.
 */
export class PixelfleetPlayerElement extends ElementBase {
  static readonly observedAttributes = ['src'];

  #core: StreamPlayer | undefined;
  #state: State | undefined;
  #stage: HTMLElement | undefined;
  #end = new AbortController();
  #isUpdatePending = false;
  #token: string | undefined;
  /** The address that the core was opened with. */
  #opened: string | undefined;

  connectedCallback(): void {
    addStyle();
    if (!this.hasAttribute('tabindex')) {
      this.tabIndex = 0; // the application gets the keys while the element has the focus
    }
    this.#update();
  }

  disconnectedCallback(): void {
    this.#update();
  }

  attributeChangedCallback(): void {
    this.#update();
  }

  /** The address of the player page, with its URL parameters. Another address starts another session. */
  get src(): string {
    return this.getAttribute('src') ?? '';
  }

  set src(address: string) {
    this.setAttribute('src', address);
  }

  /** Undefined until the element is in a document and has an address. */
  get state(): State | undefined {
    return this.#state;
  }

  /** The latest statistics while video plays. */
  get stats(): StreamStats | undefined {
    return this.#core?.stats;
  }

  /** The core, for all that the element has no method for. */
  get core(): StreamPlayer | undefined {
    return this.#core;
  }

  /** An access token of the issuer, for each further connection; a player that was refused tries again with it. */
  get token(): string | undefined {
    return this.#token;
  }

  set token(token: string | undefined) {
    if (token !== undefined && token !== this.#token) {
      this.#core?.useToken(token);
    }
    this.#token = token;
  }

  get muted(): boolean {
    return this.#core?.media.isMuted ?? true;
  }

  set muted(muted: boolean) {
    this.#core?.media.mute(muted);
  }

  /** Limits the bitrate; `auto` is that of the address. */
  setQuality(quality: Quality): void {
    this.#core?.media.setQuality(quality);
  }

  /** Takes a PNG image of the current picture; rejects when there is none. */
  screenshot(): Promise<Blob> {
    return this.#core?.media.screenshot() ?? Promise.reject(new Error('there is no picture'));
  }

  /** Starts a new attempt, or playback if the browser has blocked it (phase `blocked`). */
  retry(): void {
    this.#core?.retry();
  }

  /** Ends the session, which frees the streamer; `retry` starts another one. */
  leave(): void {
    this.#core?.leave();
  }

  /** The user has confirmed to be there, after a warning. */
  confirmPresence(): void {
    this.#core?.confirmPresence();
  }

  /** Sends an interaction to the application, like Epic's `emitUIInteraction`; returns whether it was sent. */
  interact(value: object | string): boolean {
    return this.#core?.interact(value) ?? false;
  }

  /** See StreamPlayer.call. */
  call(action: string, payload?: unknown): Promise<unknown> {
    return this.#core?.call(action, payload) ?? Promise.reject(new Error('the player has not started'));
  }

  /** Opens or closes the core in a moment: a script may move the element, or set more than one attribute. */
  #update(): void {
    if (this.#isUpdatePending) {
      return;
    }
    this.#isUpdatePending = true;
    queueMicrotask(() => {
      this.#isUpdatePending = false;
      const wanted = this.isConnected && this.src !== '' ? new URL(this.src, document.baseURI).href : undefined;
      if (wanted !== this.#opened) {
        this.#close();
        this.#opened = wanted;
        if (wanted !== undefined) {
          this.#open(wanted);
        }
      }
    });
  }

  #open(address: string): void {
    if (!IS_SUPPORTED) {
      this.#onState({ phase: 'ended', cause: 'unsupported' });
      return;
    }
    const stage = document.createElement('div');
    stage.dataset['stage'] = '';
    this.prepend(stage);
    const core = openPlayer(address, stage, this.#token);
    this.#stage = stage;
    this.#core = core;
    this.#end = new AbortController();
    new KeyboardFocus(this, core.stream, this.#end.signal);
    core.on('state', (state) => {
      this.#onState(state);
    });
    core.on('stats', (stats) => {
      this.#report('player-stats', stats);
    });
    core.on('response', (text) => {
      this.#report('player-response', text);
    });
    this.#onState(core.state);
    core.connect();
  }

  #close(): void {
    this.#end.abort();
    this.#core?.close();
    this.#stage?.remove();
    this.#core = this.#stage = this.#state = undefined;
    delete this.dataset['phase'];
  }

  #onState(state: State): void {
    this.#state = state;
    this.dataset['phase'] = state.phase;
    this.#report('player-state', state);
  }

  #report<Name extends keyof PixelfleetPlayerEventMap>(
    name: Name,
    detail: PixelfleetPlayerEventMap[Name]['detail'],
  ): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** Adds the style to the document once. A content security policy does not apply to such a sheet. */
function addStyle(): void {
  if (!styled.has(document)) {
    styled.add(document);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    document.adoptedStyleSheets.push(sheet);
  }
}

const styled = new WeakSet<Document>();

/** Registers the element, once for all copies of the package on a page; does nothing on a server. */
export function definePlayer(): void {
  if (typeof customElements === 'object' && customElements.get(TAG) === undefined) {
    customElements.define(TAG, PixelfleetPlayerElement);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    [TAG]: PixelfleetPlayerElement;
  }
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- adds the events to the typed listeners
  interface HTMLElementEventMap extends PixelfleetPlayerEventMap {}
}
