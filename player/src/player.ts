import {
  Config,
  Logger,
  LogLevel,
  MessageDirection,
  PixelStreaming,
  WebSocketTransport,
} from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import type { PreconnectedSocket } from './connection/preconnected_socket';
import { reportFirstFrame } from './connection/first_frame';
import { initialSettings } from './connection/settings';
import { ParentWindow } from './embed/parent_window';
import { DEFAULT_BRANDING } from './page/branding';
import type { PageSettings } from './page/page_settings';
import { Session } from './session';
import type { State } from './state';
import { StatsCollector, type StreamStats } from './stats';
import type { TextKey, Texts } from './texts';
import { Dock } from './view/dock';
import { element } from './view/dom';
import { Fullscreen } from './view/fullscreen';
import { OnScreenKeyboard } from './view/on_screen_keyboard';
import { captureControlKeys } from './view/control_keys';
import { Overlay } from './view/overlay';
import { Panel } from './view/panel';
import { Sound } from './view/sound';
import { Toast } from './view/toast';

/** Under which name the page listens to what the application says. */
const LISTENER = 'pixelfleet';

/** A stream, the page's views of it, and the page around it: puts them together and passes on what happens. */
export class Player {
  readonly #stream: PixelStreaming;
  readonly #session: Session;
  readonly #overlay: Overlay;
  readonly #panel: Panel;
  /** Views that follow the state, and views that have words of their own. */
  readonly #stateViews: readonly { show(state: State): void }[];
  readonly #textViews: readonly { setTexts(texts: Texts): void }[];
  readonly #meter = new StatsCollector();
  readonly #toast = new Toast();
  #texts: Texts = DEFAULT_BRANDING.texts;
  #figures: StreamStats | undefined;
  #parent: ParentWindow | undefined;

  /**
   * @param url - where to dial, ws or wss
   * @param early - the websocket, where it is dialled already
   */
  constructor(url: string, early: PreconnectedSocket | undefined) {
    // The library would else write a stack trace for each message, candidate and frame of its data channel.
    Logger.InitLogging(LogLevel.Error, false);
    const config = new Config({ initialSettings: initialSettings(url, new URLSearchParams(location.search)) });
    this.#stream = new PixelStreaming(config, { videoElementParent: element('stage', HTMLElement) });
    // The library sends this message and has not registered it: a streamer that names it would be an error to it.
    this.#stream.registerMessageHandler('DataChannelLatencyTest', MessageDirection.ToStreamer);
    this.#overlay = new Overlay(this.#texts, () => {
      this.#session.retry();
    });
    const sound = new Sound(this.#texts, this.#stream);
    this.#panel = new Panel(this.#texts, this.#stream);
    captureControlKeys(); // before the dock, which takes the shortcut away
    const dock = new Dock(this.#texts, () => this.#panel.open);
    this.#stateViews = [this.#overlay, sound, this.#panel, dock, new OnScreenKeyboard(this.#stream)];
    this.#textViews = [this.#overlay, sound, this.#panel, dock, new Fullscreen(this.#texts)];
    this.#session = new Session(this.#stream, url, (state) => {
      this.#show(state);
    });
    this.#watchStream();
    reportFirstFrame(this.#stream);
    this.#watchGamepads();
    this.#publishApi();
    this.#connect(early);
  }

  /** Settles when the picture is there, or late: what is done before delays it. */
  get quiet(): Promise<void> {
    return this.#overlay.quiet;
  }

  /** Says all from now on in `texts`. */
  setTexts(texts: Texts): void {
    this.#texts = texts;
    for (const view of this.#textViews) {
      view.setTexts(texts);
    }
  }

  /** Begins to talk with the page that embeds this one, if it may. */
  connectParent(settings: PageSettings): void {
    const session = this.#session;
    const stream = this.#stream;
    const figures = (): StreamStats | undefined => this.#figures;
    this.#parent = new ParentWindow(settings, {
      get state() {
        return session.state;
      },
      get figures() {
        return figures();
      },
      interact: (value) => stream.emitUIInteraction(value),
      command: (value) => stream.emitCommand(value),
      control: (action, payload) => session.control(action, payload),
      testLatency: () => this.#panel.testLatency(),
      retry: () => {
        session.retry();
      },
    });
  }

  #connect(early: PreconnectedSocket | undefined): void {
    const { transport } = this.#stream.webRtcController;
    if (transport instanceof WebSocketTransport) {
      early?.attachTo(transport);
    }
    this.#stream.connect();
  }

  #show(state: State): void {
    if (state.phase !== 'playing') {
      this.#meter.reset();
      this.#figures = undefined;
    }
    for (const view of this.#stateViews) {
      view.show(state);
    }
    this.#parent?.dialogue?.state(state);
  }

  #watchStream(): void {
    const stream = this.#stream;
    stream.addEventListener('statsReceived', ({ data }) => {
      if (this.#session.state.phase === 'playing') {
        this.#figures = this.#meter.read(data.aggregatedStats);
        this.#panel.stats(this.#figures);
        this.#parent?.dialogue?.stats(this.#figures);
      }
    });
    stream.addResponseEventListener(LISTENER, (text) => {
      this.#parent?.dialogue?.response(text);
    });
    stream.signallingProtocol.on('response', (message: unknown) => {
      this.#parent?.dialogue?.controlAnswered(message);
    });
    stream.signallingProtocol.on('matchmaker', (message: unknown) => {
      this.#parent?.dialogue?.matchmaker(message);
    });
  }

  #watchGamepads(): void {
    const tell = (words: TextKey, id: string | undefined): void => {
      this.#panel.gamepad(id);
      if (this.#session.state.phase === 'playing') {
        this.#toast.show(this.#texts[words]);
      }
    };
    window.addEventListener('gamepadconnected', ({ gamepad }) => {
      tell('notice.gamepad', gamepad.id);
    });
    window.addEventListener('gamepaddisconnected', () => {
      tell('notice.gamepad.gone', navigator.getGamepads().find((gamepad) => gamepad !== null)?.id);
    });
  }

  #publishApi(): void {
    const session = this.#session;
    const figures = (): StreamStats | undefined => this.#figures;
    window.pixelfleet = {
      stream: this.#stream,
      get state() {
        return session.state;
      },
      get figures() {
        return figures();
      },
      retry: () => {
        session.retry();
      },
    };
  }
}
