import {
  Config,
  Logger,
  LogLevel,
  MessageDirection,
  PixelStreaming,
} from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { ApplicationChannel } from './connection/application_channel';
import { reportFirstFrame } from './connection/first_frame';
import type { PreconnectedSocket } from './connection/preconnected_socket';
import { KeptSettings } from './connection/kept_settings';
import { initialSettings, settingsToKeep } from './connection/settings';
import type { PlayerApi } from './embed/bridge';
import type { ParentWindow } from './embed/parent_window';
import { DEFAULT_BRANDING } from './page/branding';
import { PublicApi } from './public_api';
import { ResumingTransport } from './resume/resuming_transport';
import { Session } from './session';
import { hasStreamer, type State } from './state';
import { LazyParts } from './settings/lazy';
import { StatsCollector, type StreamStats } from './stats';
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
import { Sound } from './view/sound';
import { Toast } from './view/toast';

/** The name under which the page registers for the application's responses. */
const LISTENER = 'pixelfleet';

/** Creates a stream, its session and its views, and passes events between them. */
export class Player implements PlayerApi {
  readonly #stream: PixelStreaming;
  readonly #channel: ApplicationChannel;
  readonly #session: Session;
  readonly #overlay: Overlay;
  readonly #panel: Panel;
  readonly #stateViews: readonly { show(state: State): void }[];
  readonly #textViews: readonly { setTexts(texts: Texts): void }[];
  readonly #collector = new StatsCollector();
  readonly #toast = new Toast();
  #texts: Texts = DEFAULT_BRANDING.texts;
  #stats: StreamStats | undefined;
  #parent: ParentWindow | undefined;

  /**
   * @param url - the URL of the server, ws or wss
   * @param preconnected - the websocket to it, if it was opened already
   */
  constructor(url: string, preconnected: PreconnectedSocket | undefined) {
    // The library's default is a stack trace for each message, candidate and data channel frame.
    Logger.InitLogging(LogLevel.Error, false);
    const config = new Config({ initialSettings: initialSettings(url, new URLSearchParams(location.search)) });
    this.#stream = new PixelStreaming(config, { videoElementParent: element('stage', HTMLElement) });
    // The library sends this message without having registered it, and logs an error if a streamer lists it.
    this.#stream.registerMessageHandler('DataChannelLatencyTest', MessageDirection.ToStreamer);
    this.#channel = new ApplicationChannel(this.#stream);
    this.#overlay = new Overlay(this.#texts, () => {
      this.retry();
    });
    const sound = new Sound(this.#texts, this.#stream);
    this.#panel = new Panel(this.#texts, this.#stream, this.#channel);
    captureControlKeys(); // before the dock, which stops the propagation of the shortcut
    const dock = new Dock(this.#texts, () => this.#panel.open);
    const away = new AwayMark(this.#texts);
    const countdown = new Countdown(this.#texts, () => {
      this.#session.confirmPresence();
    });
    this.#stateViews = [this.#overlay, sound, this.#panel, dock, away, countdown, new OnScreenKeyboard(this.#stream)];
    this.#textViews = [this.#overlay, sound, this.#panel, dock, away, countdown, new Fullscreen(this.#texts)];
    const transport = ResumingTransport.under(this.#stream, preconnected);
    this.#session = new Session(this.#stream, transport, (state) => {
      this.#show(state);
    });
    this.#listenToStream();
    reportFirstFrame(this.#stream);
    this.#listenToGamepads();
    this.#addSettings();
    window.pixelfleet = new PublicApi(this.#stream, this);
    this.#stream.connect();
  }

  get state(): State {
    return this.#session.state;
  }

  get stats(): StreamStats | undefined {
    return this.#stats;
  }

  interact(value: object | string): boolean {
    return hasStreamer(this.state) && this.#channel.interact(value);
  }

  command(value: object): boolean {
    return hasStreamer(this.state) && this.#channel.command(value);
  }

  control(action: string, payload: unknown): boolean {
    return hasStreamer(this.state) && this.#channel.control(action, payload);
  }

  testLatency(): boolean {
    return hasStreamer(this.state) && this.#panel.testLatency();
  }

  retry(): void {
    this.#session.retry();
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
  }

  /** Passes states, statistics and responses to the embedding page. */
  connectParent(parent: ParentWindow): void {
    this.#parent = parent;
  }

  #show(state: State): void {
    if (state.phase !== 'playing') {
      this.#collector.reset();
      this.#stats = undefined;
    }
    for (const view of this.#stateViews) {
      view.show(state);
    }
    this.#parent?.bridge?.onState(state);
  }

  #listenToStream(): void {
    const stream = this.#stream;
    stream.addEventListener('statsReceived', ({ data }) => {
      if (this.state.phase === 'playing') {
        this.#stats = this.#collector.update(data.aggregatedStats);
        this.#panel.setStats(this.#stats);
        this.#parent?.bridge?.onStats(this.#stats);
      }
    });
    stream.addResponseEventListener(LISTENER, (text) => {
      this.#parent?.bridge?.onResponse(text);
    });
    stream.signallingProtocol.on('response', (message: unknown) => {
      this.#parent?.bridge?.onControlResponse(message);
    });
    stream.signallingProtocol.on('matchmaker', (message: unknown) => {
      this.#parent?.bridge?.onMatchmaker(message);
    });
  }

  #addSettings(): void {
    const kept = new KeptSettings(this.#stream, settingsToKeep(new URLSearchParams(location.search)));
    new LazyParts({
      stream: this.#stream,
      texts: () => this.#texts,
      choose: (id, value) => {
        kept.choose(id, value);
      },
      renegotiate: () => {
        this.#session.renegotiate();
      },
      notify: (text) => {
        this.#toast.show(text);
      },
    });
    showLeaveButton(() => {
      this.#session.finish();
    });
    document.documentElement.toggleAttribute('data-no-controls', this.#stream.config.isFlagEnabled('HideUI'));
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
