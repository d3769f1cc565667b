import {
  Config,
  Logger,
  LogLevel,
  MessageDirection,
  PixelStreaming,
  type AllSettings,
} from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { ApplicationChannel } from '../connection/application_channel';
import { reportFirstFrame } from '../connection/first_frame';
import type { PreconnectedSocket } from '../connection/preconnected_socket';
import { stallReporter } from '../connection/stall_report';
import { ControlCalls } from '../embed/control_calls';
import { ResumingTransport } from '../resume/resuming_transport';
import { Session } from '../session';
import { setToken } from '../sign_in/access_token';
import { hasStreamer, type State } from '../state';
import { StatsCollector, type StreamStats } from '../stats';
import { Media } from './media';
import { EventHub, type PlayerEvents } from './player_events';

/** The name under which the player registers for the application's responses. */
const LISTENER = 'pixelfleet';

export interface StreamPlayerOptions {
  /** The element that the video is put into; it must have a size of its own. */
  readonly stage: HTMLElement;
  /** The settings of Epic's library, with the URL of the server as `ss`. */
  readonly settings: Partial<AllSettings>;
  /** The websocket to the server, if it was opened already. */
  readonly socket: PreconnectedSocket | undefined;
}

/** A stream and its session, without a user interface. `connect` starts it, after the listeners were added. */
export class StreamPlayer {
  /** Epic's object. */
  readonly stream: PixelStreaming;
  readonly channel: ApplicationChannel;
  readonly media: Media;
  readonly transport: ResumingTransport;
  readonly #session: Session;
  readonly #events = new EventHub<PlayerEvents>();
  readonly #calls = new ControlCalls();
  readonly #collector = new StatsCollector();
  readonly #end = new AbortController();
  #stats: StreamStats | undefined;

  constructor({ stage, settings, socket }: StreamPlayerOptions) {
    // The library's default is a stack trace for each message, candidate and data channel frame.
    Logger.InitLogging(LogLevel.Error, false);
    this.stream = new PixelStreaming(new Config({ initialSettings: settings }), { videoElementParent: stage });
    // The library sends this message without having registered it, and logs an error if a streamer lists it.
    this.stream.registerMessageHandler('DataChannelLatencyTest', MessageDirection.ToStreamer);
    this.channel = new ApplicationChannel(this.stream);
    this.media = new Media(this.stream);
    const { signal } = this.#end;
    this.transport = ResumingTransport.under(this.stream, socket, signal);
    const onState = (state: State): void => {
      this.#onState(state);
    };
    this.#session = new Session(this.stream, this.transport, onState, signal);
    this.#listenToStream();
    reportFirstFrame(this.stream);
  }

  get state(): State {
    return this.#session.state;
  }

  /** The latest statistics while video plays. */
  get stats(): StreamStats | undefined {
    return this.#stats;
  }

  /** Adds a listener; returns a function that removes it. */
  on<Name extends keyof PlayerEvents>(name: Name, listener: (event: PlayerEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /** Starts the first attempt. */
  connect(): void {
    this.stream.connect();
  }

  /** Starts a new attempt, or playback if the browser has blocked it. */
  retry(): void {
    this.#session.retry();
  }

  /** Uses an access token for each further connection, and tries again if the player was refused. */
  useToken(token: string): void {
    setToken(token);
    if (this.state.phase === 'ended' && this.state.cause === 'not-allowed') {
      this.retry();
    }
  }

  /** Ends the session, which frees the streamer. The state is then `ended`, and `retry` starts a new session. */
  leave(): void {
    this.#session.finish();
  }

  /** Negotiates anew with the same streamer, for settings that take effect only then. */
  renegotiate(): void {
    this.#session.renegotiate();
  }

  /** The user has confirmed to be there, after a warning. */
  confirmPresence(): void {
    this.#session.confirmPresence();
  }

  /** Sends an interaction to the application; returns whether it was sent. */
  interact(value: object | string): boolean {
    return hasStreamer(this.state) && this.channel.interact(value);
  }

  /** Sends a command for the streamer, such as `{'Encoder.MaxQP': 40}`; returns whether it was sent. */
  command(value: object): boolean {
    return hasStreamer(this.state) && this.channel.command(value);
  }

  /** Sends a `control` message to the streamer's server; returns whether it was sent. */
  control(action: string, payload: unknown): boolean {
    return hasStreamer(this.state) && this.channel.control(action, payload);
  }

  /**
   * Makes the streamer's server call the application's REST API.
   *
   * @param action - the path below the API, such as `level/load`
   * @param payload - JSON of at most 65,535 characters
   * @returns the response; rejects when the server answers with an error or not within 60 s, and without a streamer
   */
  call(action: string, payload?: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const send = (): boolean => this.control(action, payload);
      this.#calls.make(action, send, (result) => {
        if ('error' in result) {
          reject(new Error(result.error));
        } else {
          resolve(result.response);
        }
      });
    });
  }

  /** Leaves the server, and removes the video and all listeners. The player cannot be used afterwards. */
  close(): void {
    this.#session.leave();
    this.#calls.failAll();
    this.#end.abort();
    this.stream.webRtcController.destroyVideoPlayer();
  }

  #onState(state: State): void {
    if (state.phase !== 'playing') {
      this.#collector.reset();
      this.#stats = undefined;
    }
    if (!hasStreamer(state)) {
      this.#calls.failAll();
    }
    this.#events.emit('state', state);
  }

  #listenToStream(): void {
    const { stream } = this;
    const reportStall = stallReporter(stream);
    stream.addEventListener('statsReceived', ({ data }) => {
      if (this.state.phase === 'playing') {
        this.#stats = this.#collector.update(data.aggregatedStats);
        reportStall(data.aggregatedStats.inboundVideoStats.totalFreezesDuration, this.#stats.codec);
        this.#events.emit('stats', this.#stats);
      }
    });
    stream.addResponseEventListener(LISTENER, (text) => {
      this.#events.emit('response', text);
    });
    stream.signallingProtocol.on('response', (message: unknown) => {
      this.#calls.onResponse(message);
      this.#events.emit('control', message);
    });
    stream.signallingProtocol.on('matchmaker', (message: unknown) => {
      this.#events.emit('matchmaker', message);
    });
  }
}
