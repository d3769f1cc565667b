import {
  Flags,
  MessageHelpers,
  Messages,
  OptionParameters,
  type BaseMessage,
  type PixelStreaming,
} from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { adviceFor, isOwnCode } from './connection/close_codes';
import { readMatchmaker, readSigterm, text } from './connection/messages';
import { isCut, watchPath, type PathKind } from './connection/path';
import { Redial } from './connection/redial';
import { hasPlayed, INITIAL, next, type EndCause, type Happening, type State } from './state';
import { goingAway } from './view/words';

/** How long "starting" may last before the page says that no picture came, in milliseconds. */
const STARTING_LIMIT = 30_000;

/** The same while the page looks for a way through the network again, so that it soon notices when there is one. */
const RETRY_LIMIT = 7_000;

/** Tries in a row that may find no way through the network: of a session that had played, and of a new one. */
const MOST_CUTS = { played: 24, fresh: 2 } as const;

/** The close code of a player whose streamer let it go. */
const LET_GO = 1011;

/** How often a server that lists no streamer is asked again, in milliseconds. */
const ASK_AGAIN = 3_000;

/** What the page means by a close that it asked for itself. */
type Intent = 'redial' | 'stop';

/**
 * Drives one page's connection: listens to the library, keeps the state, and dials again at the pace that
 * the server's close code asks for. The library must be told not to reconnect by itself (see settings.ts).
 */
export class Session {
  readonly #stream: PixelStreaming;
  readonly #onState: (state: State) => void;
  readonly #redial = new Redial();
  /** Whether the link asks the browser to offer whatever streamer is matched. */
  readonly #alwaysOffers: boolean;
  #state = INITIAL;
  #refusal: string | undefined;
  #intent: Intent | undefined;
  #watched: RTCPeerConnection | undefined;
  #cuts = 0;
  #played = false;
  #toldPath: PathKind | undefined;
  #dialTimer: number | undefined;
  #startTimer: number | undefined;
  #askTimer: number | undefined;

  /**
   * @param stream - the library's object, dialling already or not
   * @param onState - called with each new state, and with the first one at once
   */
  constructor(stream: PixelStreaming, onState: (state: State) => void) {
    this.#stream = stream;
    this.#onState = onState;
    this.#alwaysOffers = stream.config.isFlagEnabled(Flags.BrowserSendOffer);
    this.#listenToServer();
    this.#listenToStream();
    window.addEventListener('online', () => {
      if (this.#dialTimer !== undefined) {
        this.#dialIn(0);
      }
    });
    onState(this.#state);
  }

  get state(): State {
    return this.#state;
  }

  /** Starts over, whatever the state: what the overlay's button does. */
  retry(): void {
    if (this.#state.phase === 'blocked') {
      this.#stream.play();
      return;
    }
    this.#redial.reset();
    this.#cuts = 0;
    this.#played = false;
    this.#happen({ type: 'retry' });
    if (this.#stream.signallingProtocol.isConnected()) {
      this.#leave('redial');
    } else {
      this.#dialIn(0);
    }
  }

  #listenToServer(): void {
    const protocol = this.#stream.signallingProtocol;
    protocol.transport.on('open', () => {
      this.#redial.opened(performance.now());
    });
    protocol.transport.on('close', (event: CloseEvent) => {
      this.#closed(event);
    });
    // The transport tells of each message before the library acts on it: the last moment to close the old
    // peer connection, which until then has kept the picture alive.
    protocol.transport.on('message', (message: BaseMessage | null) => {
      if (message?.type === Messages.config.typeName) {
        this.#stream.webRtcController.closePeerConnection();
        this.#watched = undefined;
        this.#happen({ type: 'configured' });
      }
    });
    protocol.on('matchmaker', (message: unknown) => {
      const news = readMatchmaker(message);
      const offers = this.#alwaysOffers || (news.kind === 'matched' && news.browserOffers);
      this.#stream.config.setFlagEnabled(Flags.BrowserSendOffer, offers);
      this.#happen({ type: 'news', news });
    });
    protocol.on('sigterm', (message: unknown) => {
      this.#happen({ type: 'notice', text: goingAway(readSigterm(message)) });
    });
  }

  #listenToStream(): void {
    const stream = this.#stream;
    stream.addEventListener('streamerListMessage', ({ data }) => {
      if (data.autoSelectedStreamerId === '') {
        this.#chooseStreamer(data.messageStreamerList.ids);
      }
    });
    stream.addEventListener('subscribeFailed', ({ data }) => {
      this.#refusal = text(data.message) ?? '';
      this.#end('refused', this.#refusal);
    });
    stream.addEventListener('webRtcSdp', () => {
      this.#watchPeerConnection();
      this.#happen({ type: 'negotiated' });
    });
    stream.addEventListener('playStreamRejected', ({ data }) => {
      this.#playRejected(data.reason);
    });
    stream.webRtcController.videoPlayer.getVideoElement().addEventListener('playing', () => {
      this.#happen({ type: 'frame' });
      if (this.#state.phase === 'playing') {
        this.#cuts = 0;
        this.#played = true;
      }
    });
  }

  /** The library found none to subscribe to by itself: take the first, or ask again while there is none. */
  #chooseStreamer(ids: readonly string[]): void {
    const [first] = ids;
    if (first !== undefined) {
      this.#stream.config.setOptionSettingValue(OptionParameters.StreamerId, first);
      return;
    }
    this.#happen({ type: 'no-streamer' });
    window.clearTimeout(this.#askTimer);
    this.#askTimer = window.setTimeout(() => {
      this.#stream.signallingProtocol.sendMessage(MessageHelpers.createMessage(Messages.listStreamers));
    }, ASK_AGAIN);
  }

  /** The library does not look at a peer connection that fails after it was made. */
  #watchPeerConnection(): void {
    const connection = this.#stream.webRtcController.peerConnectionController.peerConnection;
    if (connection === this.#watched) {
      return;
    }
    this.#watched = connection;
    this.#toldPath = undefined;
    watchPath(connection, {
      broken: () => {
        if (connection === this.#watched && (this.#state.phase === 'starting' || this.#state.phase === 'playing')) {
          this.#cut();
        }
      },
      kind: (kind) => {
        if (connection === this.#watched) {
          this.#tellPath(kind);
        }
      },
    });
  }

  /** No way through the network: look again from the start, until that has been in vain too often. */
  #cut(): void {
    this.#tellPath('none');
    this.#cuts += 1;
    if (this.#cuts >= (this.#played ? MOST_CUTS.played : MOST_CUTS.fresh)) {
      this.#end('blocked', undefined);
      this.#leave('stop');
      return;
    }
    this.#happen({ type: 'lost', cut: true });
    // The server is well, so there is no reason to spare it.
    this.#redial.reset();
    this.#leave('redial');
  }

  /** Tells the server which way the video takes, for its statistics; older servers expect a text there. */
  #tellPath(path: PathKind): void {
    if (path !== this.#toldPath && this.#stream.signallingProtocol.isConnected()) {
      this.#toldPath = path;
      const message = MessageHelpers.createMessage(Messages.stats, { data: JSON.stringify({ path }) });
      this.#stream.signallingProtocol.sendMessage(message);
    }
  }

  /** A browser that refuses sound without a click may still play without it. */
  #playRejected(reason: unknown): void {
    if (!(reason instanceof DOMException) || reason.name !== 'NotAllowedError') {
      return; // a newer load took this one's place, and plays by itself
    }
    if (this.#stream.config.isFlagEnabled(Flags.StartVideoMuted)) {
      this.#happen({ type: 'play-rejected' });
    } else {
      this.#stream.config.setFlagEnabled(Flags.StartVideoMuted, true);
      this.#stream.play();
    }
  }

  #closed({ code, reason }: CloseEvent): void {
    const intent = this.#intent;
    const refusal = isOwnCode(code) ? undefined : this.#refusal;
    this.#intent = undefined;
    this.#refusal = undefined;
    window.clearTimeout(this.#askTimer);
    this.#stream.config.setFlagEnabled(Flags.BrowserSendOffer, this.#alwaysOffers);
    if (intent === 'stop' || (refusal !== undefined && intent === undefined)) {
      return; // the state says already why
    }
    // A streamer may notice before the page does that nothing gets through, and lets the player go.
    const cut = intent === undefined && code === LET_GO && isCut(this.#watched);
    const advice = intent === undefined && !cut ? adviceFor(code) : 'at-once';
    this.#cuts += cut ? 1 : 0;
    const wait = this.#redial.closed(advice, performance.now());
    if (wait !== undefined) {
      const words = advice === 'later' ? text(reason) : undefined;
      this.#happen({ type: 'lost', ...(words !== undefined && { text: words }), ...(cut && { cut }) });
      this.#dialIn(wait);
      return;
    }
    this.#stream.webRtcController.closePeerConnection();
    const told: EndCause = hasPlayed(this.#state) ? 'over' : 'refused';
    this.#end(advice === 'never' ? told : 'unreachable', text(reason));
  }

  #leave(intent: Intent): void {
    this.#intent = intent;
    this.#stream.disconnect();
  }

  #dialIn(wait: number): void {
    window.clearTimeout(this.#dialTimer);
    this.#dialTimer = window.setTimeout(() => {
      this.#dialTimer = undefined;
      this.#stream.connect();
    }, wait);
  }

  #end(cause: EndCause, words: string | undefined): void {
    this.#happen({ type: 'over', cause, ...(words !== undefined && words !== '' && { text: words }) });
  }

  #happen(happening: Happening): void {
    const state = next(this.#state, happening);
    if (state === this.#state) {
      return;
    }
    if (state.phase !== this.#state.phase) {
      this.#limitStarting(state);
    }
    this.#state = state;
    this.#onState(state);
  }

  #limitStarting(state: State): void {
    window.clearTimeout(this.#startTimer);
    if (state.phase === 'starting') {
      const again = state.cut === true;
      this.#startTimer = window.setTimeout(
        () => {
          if (again) {
            this.#cut();
            return;
          }
          this.#end(isCut(this.#watched) ? 'blocked' : 'no-video', undefined);
          this.#leave('stop');
        },
        again ? RETRY_LIMIT : STARTING_LIMIT,
      );
    }
  }
}
