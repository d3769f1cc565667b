import { Flags, Messages, type BaseMessage, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { closeReason, isPixelfleetCode, reconnectAdvice, STREAMER_CLOSED } from './connection/close_codes';
import { endOf, UPGRADE_BLOCKED, waitOf } from './connection/close_events';
import { IceMonitor } from './connection/ice_monitor';
import { adoptLooseTracks } from './connection/loose_tracks';
import { cleanText, parseMatchmaker, parseSigterm } from './connection/messages';
import { watchNegotiation, type NegotiationFailure } from './connection/negotiation';
import { watchPageCache, type CachedPage } from './connection/page_lifecycle';
import { Reconnector } from './connection/reconnector';
import { RefusalProbe } from './connection/refusal_probe';
import { reportStats } from './connection/stats_report';
import { StreamerSelection } from './connection/streamer_selection';
import { SessionLimits } from './limits/session_limits';
import { optional } from './optional';
import { watchPlayback, type PlaybackObserver } from './playback';
import { RETURNING } from './resume/close_rules';
import { watchCandidatePair } from './resume/network_events';
import { PathRecovery } from './resume/path_recovery';
import type { ResumingTransport } from './resume/resuming_transport';
import { SessionState } from './session_state';
import { hasPlayed, hasStreamer, type EndCause, type EndDetails, type State, type Warning } from './state';
import { UNENDING } from './unending';

/** New negotiations of one session in a row that may find no path; then another session may find one. */
const MAX_NEGOTIATIONS = 3;

/**
 * Drives the connection of a page: listens to the library, updates the state, and reconnects as the server's close
 * code asks for. The library's own reconnecting must be turned off (see connection/settings.ts).
 */
export class Session {
  readonly #stream: PixelStreaming;
  readonly #transport: ResumingTransport;
  readonly #probe: RefusalProbe;
  readonly #state: SessionState;
  readonly #reconnector: Reconnector;
  readonly #streamers: StreamerSelection;
  readonly #ice: IceMonitor;
  readonly #recovery: PathRecovery;
  readonly #limits: SessionLimits;
  /** Whether the URL parameters ask the browser to send the offer to any streamer. */
  readonly #alwaysOffers: boolean;
  #refusal: string | undefined;
  /** What follows a close that the page itself requested. */
  #intent: 'reconnect' | 'stop' | undefined;
  #negotiations = 0;
  /** Whether the page has left its streamer because of a lost path, and has no new peer connection yet. */
  #hasLostPath = false;
  #isWithoutServer = false;

  /**
   * @param stream - the library's object, which does not connect yet
   * @param transport - the transport under it
   * @param onState - called with each new state, and at once with the initial one
   * @param signal - ends the listening to the page, its tab and the network
   */
  constructor(
    stream: PixelStreaming,
    transport: ResumingTransport,
    onState: (state: State) => void,
    signal = UNENDING,
  ) {
    this.#stream = stream;
    this.#transport = transport;
    this.#probe = new RefusalProbe(() => transport.dialledUrl);
    this.#alwaysOffers = stream.config.isFlagEnabled(Flags.BrowserSendOffer);
    this.#state = new SessionState(onState, () => {
      this.#onStartingTimeout();
    });
    this.#reconnector = new Reconnector(() => {
      stream.connect();
    });
    this.#streamers = new StreamerSelection(stream, () => {
      this.#state.dispatch({ type: 'no-streamer' });
    });
    this.#ice = new IceMonitor({
      onLost: () => {
        this.#onPathLost();
      },
      onFound: () => {
        this.#recovery.stop();
      },
      onKind: (path) => {
        reportStats(stream, { path });
      },
    });
    this.#recovery = new PathRecovery({
      state: () => this.#ice.pathState,
      ask: () => {
        transport.hurry();
      },
      onWaiting: () => {
        this.#showAway();
      },
      onGone: () => {
        this.#negotiateAgain();
      },
    });
    const onWarning = (warning: Warning | undefined): void => {
      this.#state.dispatch({ type: 'warned', ...optional('warning', warning) });
    };
    this.#limits = new SessionLimits(stream, onWarning, signal);
    const page: CachedPage = {
      leave: () => this.leave(),
      join: () => {
        this.retry();
      },
    };
    watchPageCache(page, signal);
    this.#listenToServer();
    this.#listenToStream(signal);
    onState(this.state);
  }

  get state(): State {
    return this.#state.current;
  }

  /** Starts a new attempt, or playback if the browser has blocked it. */
  retry(): void {
    if (this.state.phase === 'blocked') {
      this.#stream.play();
      return;
    }
    this.#reconnector.reset();
    this.#ice.reset();
    this.#negotiations = 0;
    this.#state.dispatch({ type: 'retry' });
    if (this.#stream.signallingProtocol.isConnected()) {
      this.#disconnect('reconnect');
    } else {
      this.#reconnector.connectIn(0);
    }
  }

  /** Leaves the server because the user has finished; `retry` begins a new session. */
  finish(): void {
    this.leave();
    this.#end('over');
  }

  /** Negotiates anew with the same streamer, which applies settings that only a negotiation can. */
  renegotiate(): void {
    if (hasStreamer(this.state)) {
      this.#state.dispatch({ type: 'disconnected' });
      this.#reconnector.reset();
      this.#disconnect('reconnect', 'the settings have changed');
    }
  }

  /** The user has confirmed to be there, after a warning. */
  confirmPresence(): void {
    this.#limits.confirm();
  }

  #listenToServer(): void {
    this.#transport.observe({
      onAway: (isAway) => {
        this.#isWithoutServer = isAway;
        this.#showAway();
      },
      onAnswered: () => {
        this.#recovery.answered();
      },
      media: () => this.#ice.media,
    });
    const protocol = this.#stream.signallingProtocol;
    protocol.transport.on('open', () => {
      this.#probe.opened();
      this.#reconnector.opened();
    });
    protocol.transport.on('close', (event: CloseEvent) => {
      this.#onClose(event);
    });
    // The transport reports each message before the library handles it: the last moment to close the old peer
    // connection, which has kept the last picture visible until then.
    protocol.transport.on('message', (message: BaseMessage | null) => {
      if (message?.type === Messages.config.typeName) {
        this.#stream.webRtcController.closePeerConnection();
        this.#ice.unwatch();
        this.#recovery.stop();
        this.#hasLostPath = false;
        this.#state.dispatch({ type: 'configured' });
      }
    });
    protocol.on('matchmaker', (data: unknown) => {
      const message = parseMatchmaker(data);
      this.#setBrowserOffers(message.kind === 'matched' && message.browserOffers);
      this.#state.dispatch({ type: 'matchmaker', message });
    });
    protocol.on('sigterm', (data: unknown) => {
      this.#state.dispatch({ type: 'ending', ...optional('text', parseSigterm(data)) });
    });
  }

  #listenToStream(signal: AbortSignal): void {
    const stream = this.#stream;
    stream.addEventListener('subscribeFailed', ({ data }) => {
      this.#refusal = cleanText(data.message) ?? '';
      this.#end('refused', optional('text', this.#refusal === '' ? undefined : this.#refusal));
    });
    adoptLooseTracks(stream);
    watchNegotiation(stream, (failure) => {
      this.#onNegotiationFailure(failure);
    });
    stream.addEventListener('webRtcSdp', () => {
      // The library does not notice when a peer connection fails after negotiation.
      this.#ice.watch(stream.webRtcController.peerConnectionController.peerConnection);
      this.#state.dispatch({ type: 'negotiated' });
    });
    stream.addEventListener('webRtcConnected', () => {
      watchCandidatePair(stream.webRtcController.peerConnectionController.peerConnection, () => {
        this.#transport.hurry();
      });
    });
    const playback: PlaybackObserver = {
      onBlocked: () => {
        this.#state.dispatch({ type: 'play-rejected' });
      },
      onPlaying: () => {
        this.#state.dispatch({ type: 'frame' });
        if (this.state.phase === 'playing') {
          this.#ice.videoPlayed();
          this.#negotiations = 0;
        }
      },
      onPaused: () => {
        this.#state.dispatch({ type: 'paused' });
      },
      resumes: () => this.state.phase === 'blocked' && this.state.paused === true,
    };
    watchPlayback(stream, playback, signal);
  }

  /** Ends the session and closes the connection, which frees the streamer; the code tells the server why. */
  #onNegotiationFailure({ cause, details, reason, report }: NegotiationFailure): void {
    reportStats(this.#stream, report);
    this.#end(cause, details);
    this.#intent = 'stop';
    this.#stream.signallingProtocol.disconnect(details.code, closeReason(reason));
    this.#stream.webRtcController.closePeerConnection();
  }

  /** Leaves the server without a change of the state; returns false for a page that has nothing to leave. */
  leave(): boolean {
    const wasPending = this.#reconnector.isPending;
    this.#reconnector.cancel();
    if (!this.#stream.signallingProtocol.isConnected()) {
      return wasPending;
    }
    this.#disconnect('stop');
    return true;
  }

  #onPathLost(): void {
    if (!hasStreamer(this.state)) {
      return;
    }
    if (hasPlayed(this.state) && this.#transport.isResumable) {
      this.#recovery.lost(); // the picture may continue by itself
      return;
    }
    this.#disconnect(this.#retryPath() ? 'reconnect' : 'stop');
  }

  #showAway(): void {
    this.#state.dispatch({ type: this.#isWithoutServer || this.#recovery.isWaiting ? 'away' : 'returned' });
  }

  /** Negotiates anew with the same streamer. The last picture stays until then. */
  #negotiateAgain(): void {
    this.#hasLostPath = true;
    this.#state.dispatch({ type: 'disconnected' });
    this.#reconnector.reset();
    this.#disconnect('reconnect');
  }

  #onStartingTimeout(): void {
    if ('cut' in this.state || this.#ice.hasNoPath) {
      this.#disconnect(this.#retryPath() ? 'reconnect' : 'stop');
      return;
    }
    this.#end('no-video');
    this.#disconnect('stop');
  }

  /** Updates the state after an attempt that found no ICE path; returns whether to try again. */
  #retryPath(): boolean {
    if (!this.#ice.attemptFailed()) {
      this.#end('network');
      return false;
    }
    this.#hasLostPath = true;
    this.#state.dispatch({ type: 'disconnected', cut: true });
    this.#reconnector.reset(); // the server is healthy, so the delays can stay short
    return true;
  }

  #onClose({ code, reason }: CloseEvent): void {
    const intent = this.#intent;
    const refused = this.#refusal !== undefined && !isPixelfleetCode(code);
    const opened = this.#probe.closed();
    this.#intent = undefined;
    this.#refusal = undefined;
    this.#streamers.stop();
    this.#setBrowserOffers(false);
    // The streamer may notice a lost path, and close the connection, before this page does.
    const pathLost = intent === undefined && code === STREAMER_CLOSED && (this.#ice.hasNoPath || this.#hasLostPath);
    this.#ice.unwatch();
    this.#recovery.stop();
    if (intent === 'stop' || (refused && intent === undefined)) {
      return; // the state already has the cause
    }
    if (pathLost && !this.#retryPath()) {
      this.#stream.webRtcController.closePeerConnection();
      return;
    }
    const server = this.#probe.isUpgradeBlocked ? 'later' : reconnectAdvice(code);
    const advice = intent === undefined && !pathLost ? server : 'now';
    if (!this.#reconnector.closed(advice)) {
      this.#stream.webRtcController.closePeerConnection();
      this.#state.dispatch(endOf(advice, { code, reason }, this.state));
      return;
    }
    const wait = waitOf(advice, { code, reason }, this.#reconnector.isLasting);
    this.#state.dispatch(this.#probe.isUpgradeBlocked ? UPGRADE_BLOCKED : wait);
    if (!opened && intent === undefined && !this.#probe.isUpgradeBlocked) {
      void this.#probeRefusal();
    }
  }

  /** Shows why the websocket was not opened, unless the page has reconnected meanwhile. */
  async #probeRefusal(): Promise<void> {
    const found = await this.#probe.ask();
    if (found === undefined || !this.#reconnector.isPending) {
      return;
    }
    const { refusal, status: code } = found;
    if ('end' in refusal) {
      this.#reconnector.cancel();
      this.#end(refusal.end, { code });
    } else {
      this.#state.dispatch({ type: 'deferred', cause: refusal.wait, code });
    }
  }

  #setBrowserOffers(offers: boolean): void {
    this.#stream.config.setFlagEnabled(Flags.BrowserSendOffer, this.#alwaysOffers || offers);
  }

  /** @param change - why the session is kept although its path works */
  #disconnect(intent: 'reconnect' | 'stop', change?: string): void {
    this.#intent = intent;
    const needsNegotiation = change !== undefined || (this.#ice.hasNoPath && this.#negotiations < MAX_NEGOTIATIONS);
    const keepsSession = intent === 'reconnect' && needsNegotiation;
    if (keepsSession && this.#transport.isResumable) {
      this.#negotiations += 1;
      this.#stream.signallingProtocol.disconnect(RETURNING, change ?? 'the path of the media was lost');
    } else {
      this.#stream.disconnect();
    }
  }

  #end(cause: EndCause, details: EndDetails = {}): void {
    this.#state.dispatch({ type: 'ended', cause, ...details });
  }
}
