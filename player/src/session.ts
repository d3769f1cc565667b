import {
  Flags,
  MessageHelpers,
  Messages,
  OptionParameters,
  type BaseMessage,
  type PixelStreaming,
} from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { probeRefusal } from './connection/refusal_probe';
import { reconnectAdvice, endMeaning, isPixelfleetCode, waitMeaning, type ReconnectAdvice } from './connection/close_codes';
import { parseMatchmaker, parseSigterm, text } from './connection/messages';
import type { IcePathKind } from './connection/ice_path';
import { ReconnectBackoff } from './connection/reconnect_backoff';
import { IceMonitor } from './connection/ice_monitor';
import { optional } from './optional';
import { hasPlayed, INITIAL, reduce, type EndCause, type StateEvent, type State } from './state';

/** How long "starting" may last before the page says that no picture came, in milliseconds. */
const STARTING_LIMIT = 30_000;

/** The same while the page looks for a way through the network again, so that it soon notices when there is one. */
const RETRY_LIMIT = 7_000;

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
  readonly #url: string;
  readonly #redial = new ReconnectBackoff();
  readonly #way = new IceMonitor({
    broken: () => {
      if (this.#state.phase === 'starting' || this.#state.phase === 'playing') {
        this.#leave(this.#lookAgain() ? 'redial' : 'stop');
      }
    },
    kind: (kind) => {
      this.#tellPath(kind);
    },
  });
  /** Whether the link asks the browser to offer whatever streamer is matched. */
  readonly #alwaysOffers: boolean;
  #state = INITIAL;
  #opened = false;
  #refusal: string | undefined;
  #intent: Intent | undefined;
  #dialTimer: number | undefined;
  #startTimer: number | undefined;
  #askTimer: number | undefined;

  /**
   * @param stream - the library's object, dialling already or not
   * @param url - where it dials, ws or wss
   * @param onState - called with each new state, and with the first one at once
   */
  constructor(stream: PixelStreaming, url: string, onState: (state: State) => void) {
    this.#stream = stream;
    this.#url = url;
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
    this.#way.reset();
    this.#happen({ type: 'retry' });
    if (this.#stream.signallingProtocol.isConnected()) {
      this.#leave('redial');
    } else {
      this.#dialIn(0);
    }
  }

  /** Sends a call for the application to the server; false while there is no server to send it to. */
  control(action: string, payload: unknown): boolean {
    const protocol = this.#stream.signallingProtocol;
    if (!protocol.isConnected()) {
      return false;
    }
    const message: BaseMessage & Record<string, unknown> = { type: 'control', action, ...optional('payload', payload) };
    protocol.sendMessage(message);
    return true;
  }

  #listenToServer(): void {
    const protocol = this.#stream.signallingProtocol;
    protocol.transport.on('open', () => {
      this.#opened = true;
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
        this.#way.drop();
        this.#happen({ type: 'configured' });
      }
    });
    protocol.on('matchmaker', (message: unknown) => {
      const news = parseMatchmaker(message);
      const offers = this.#alwaysOffers || (news.kind === 'matched' && news.browserOffers);
      this.#stream.config.setFlagEnabled(Flags.BrowserSendOffer, offers);
      this.#happen({ type: 'news', news });
    });
    protocol.on('sigterm', (message: unknown) => {
      this.#happen({ type: 'ending', ...optional('text', parseSigterm(message)) });
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
      // The library does not look at a peer connection that fails after it was made.
      this.#way.follow(stream.webRtcController.peerConnectionController.peerConnection);
      this.#happen({ type: 'negotiated' });
    });
    stream.addEventListener('playStreamRejected', ({ data }) => {
      this.#playRejected(data.reason);
    });
    stream.webRtcController.videoPlayer.getVideoElement().addEventListener('playing', () => {
      this.#happen({ type: 'frame' });
      if (this.#state.phase === 'playing') {
        this.#way.found();
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

  /** No way through the network was found: says so, and whether to look again from the start. */
  #lookAgain(): boolean {
    if (!this.#way.missed()) {
      this.#end('network');
      return false;
    }
    this.#happen({ type: 'lost', cut: true });
    this.#redial.reset(); // the server is well, so there is no reason to spare it
    return true;
  }

  /** Tells the server which way the video takes, for its statistics; older servers expect a text there. */
  #tellPath(path: IcePathKind): void {
    const protocol = this.#stream.signallingProtocol;
    if (protocol.isConnected()) {
      protocol.sendMessage(MessageHelpers.createMessage(Messages.stats, { data: JSON.stringify({ path }) }));
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
    const refusal = isPixelfleetCode(code) ? undefined : this.#refusal;
    const opened = this.#opened;
    this.#intent = undefined;
    this.#refusal = undefined;
    this.#opened = false;
    window.clearTimeout(this.#askTimer);
    this.#stream.config.setFlagEnabled(Flags.BrowserSendOffer, this.#alwaysOffers);
    // A streamer may notice before the page does that nothing gets through, and lets the player go.
    const cut = intent === undefined && code === LET_GO && this.#way.isCut;
    this.#way.drop();
    if (intent === 'stop' || (refusal !== undefined && intent === undefined)) {
      return; // the state says already why
    }
    if (cut && !this.#lookAgain()) {
      this.#stream.webRtcController.closePeerConnection();
      return;
    }
    const advice = intent === undefined && !cut ? reconnectAdvice(code) : 'now';
    const wait = this.#redial.closed(advice, performance.now());
    if (wait === undefined) {
      this.#giveUp(advice, code, text(reason));
      return;
    }
    this.#putOff(advice, code, text(reason));
    this.#dialIn(wait);
    if (!opened && intent === undefined) {
      void this.#probeRefusal();
    }
  }

  #giveUp(advice: ReconnectAdvice, code: number, reason: string | undefined): void {
    this.#stream.webRtcController.closePeerConnection();
    if (advice === 'never') {
      const { cause, showReason } = endMeaning(code, hasPlayed(this.#state));
      this.#end(cause, showReason ? reason : undefined, code);
    } else {
      this.#end('unreachable', undefined, code);
    }
  }

  #putOff(advice: ReconnectAdvice, code: number, reason: string | undefined): void {
    if (advice === 'later') {
      const { cause, showReason } = waitMeaning(code);
      this.#happen({ type: 'put-off', cause, ...optional('text', showReason ? reason : undefined) });
    } else {
      this.#happen({ type: 'lost' });
    }
  }

  async #probeRefusal(): Promise<void> {
    const told = await probeRefusal(this.#url);
    if (told === undefined || this.#dialTimer === undefined) {
      return; // nothing that a person should know, or the page has dialled again by now
    }
    if (told.refusal === 'not-allowed') {
      window.clearTimeout(this.#dialTimer);
      this.#dialTimer = undefined;
      this.#end(told.refusal, undefined, told.status);
    } else {
      this.#happen({ type: 'put-off', cause: told.refusal });
    }
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

  #end(cause: EndCause, words?: string, code?: number): void {
    this.#happen({ type: 'over', cause, ...optional('text', words === '' ? undefined : words), ...optional('code', code) });
  }

  #happen(event: StateEvent): void {
    const state = reduce(this.#state, event);
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
          if (again || this.#way.isCut) {
            this.#leave(this.#lookAgain() ? 'redial' : 'stop');
            return;
          }
          this.#end('no-video');
          this.#leave('stop');
        },
        again ? RETRY_LIMIT : STARTING_LIMIT,
      );
    }
  }
}
