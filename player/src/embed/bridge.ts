import { hasStreamer, type Quality, type State, type StreamStats } from '../core';
import { optional } from '../optional';
import type { PageSettings } from '../page/page_settings';
import { ControlCalls, NOT_CONNECTED } from './control_calls';
import { invoke, noticesFor } from './legacy_protocol';
import { parseMessage, VERSION, type Request, type RequestId } from './requests';

/** The part of the player that an embedding page can use. */
export interface PlayerApi {
  readonly state: State;
  readonly stats: StreamStats | undefined;
  /** Sends an interaction to the application; returns whether it was sent. */
  interact(value: object | string): boolean;
  /** Sends a command for the streamer, such as `{'Encoder.MaxQP': 40}`; returns whether it was sent. */
  command(value: object): boolean;
  /** Sends a `control` message to the streamer's server; returns whether it was sent. */
  control(action: string, payload: unknown): boolean;
  /** Starts a latency test; returns whether its request was sent. */
  testLatency(): boolean;
  /** Turns the sound off or on. */
  mute(muted: boolean): void;
  /** Shows the player in full screen, or no longer; rejects when the browser refuses. */
  fullscreen(on: boolean): Promise<void>;
  setQuality(quality: Quality): void;
  /** Takes a PNG image of the current picture; rejects when there is none. */
  screenshot(): Promise<Blob>;
  /** Ends the session. */
  leave(): void;
  retry(): void;
  /** Uses an access token for each further connection, and tries again if the player was refused. */
  useToken(token: string): void;
}

/**
 * Exchanges messages with an embedding page. Its caller checks the origin and passes the messages; the bridge itself
 * has no reference to a window.
 */
export class Bridge {
  readonly #settings: PageSettings;
  readonly #player: PlayerApi;
  readonly #post: (message: object) => void;
  readonly #calls = new ControlCalls();
  #sendsStats = false;
  #lastState: State;

  /** @param post - posts a message to the embedding page */
  constructor(settings: PageSettings, player: PlayerApi, post: (message: object) => void) {
    this.#settings = settings;
    this.#player = player;
    this.#post = post;
    this.#lastState = player.state;
    this.#sendEvent('ready', { state: player.state });
  }

  /** Handles a message from the embedding page. */
  receive(data: unknown): void {
    const incoming = parseMessage(data);
    switch (incoming.kind) {
      case 'none':
        return;
      case 'invalid':
        this.#refuse(incoming.id, undefined, incoming.problem);
        return;
      case 'request':
        this.#handle(incoming.id, incoming.request);
        return;
      case 'invoke': {
        const detail = invoke(incoming.name, incoming.args, this.#settings.functions, this.#player);
        if (detail !== undefined) {
          this.#post({ notice: { ok: false, type: 'invoke', status: 'refused', invoke: incoming.name, detail } });
        }
      }
    }
  }

  onState(state: State): void {
    this.#sendEvent('state', state);
    if (this.#usesLegacyProtocol) {
      for (const notice of noticesFor(this.#lastState, state)) {
        this.#post({ notice });
      }
    }
    if (!hasStreamer(state)) {
      this.#calls.failAll();
    }
    this.#lastState = state;
  }

  /** @param message - the `matchmaker` message as received */
  onMatchmaker(message: unknown): void {
    if (this.#usesLegacyProtocol && typeof message === 'object' && message !== null) {
      const { matched, detail } = message as Record<string, unknown>;
      this.#post({ notice: { ok: matched === true, type: 'matchmaker', detail } });
    }
  }

  onStats(stats: StreamStats): void {
    if (this.#sendsStats) {
      this.#sendEvent('stats', stats);
    }
  }

  /** @param text - what the application sent over the data channel */
  onResponse(text: string): void {
    this.#sendEvent('response', text);
    if (this.#usesLegacyProtocol) {
      this.#post({ response: text });
    }
  }

  /** @param message - the server's `response` to a `control` message, as received */
  onControlResponse(message: unknown): void {
    this.#calls.onResponse(message);
    if (this.#usesLegacyProtocol && typeof message === 'object' && message !== null) {
      this.#post({ ...message, type: 'response' });
    }
  }

  get #usesLegacyProtocol(): boolean {
    return this.#settings.functions.length > 0;
  }

  #handle(id: RequestId, request: Request): void {
    switch (request.method) {
      case 'state':
        this.#reply(id, { result: this.#player.state });
        return;
      case 'stats':
        this.#reply(id, { result: this.#player.stats ?? null });
        return;
      case 'watch':
        this.#sendsStats = request.stats;
        this.#reply(id, { result: true });
        return;
      case 'interact':
        if (this.#player.interact(request.value)) {
          this.#reply(id, { result: true });
        } else {
          this.#refuse(id, request.method, NOT_CONNECTED);
        }
        return;
      case 'mute':
        this.#player.mute(request.muted);
        this.#reply(id, { result: true });
        return;
      case 'quality':
        this.#player.setQuality(request.quality);
        this.#reply(id, { result: true });
        return;
      case 'fullscreen':
        void this.#settle(id, request.method, this.#player.fullscreen(request.on));
        return;
      case 'screenshot':
        void this.#settle(id, request.method, this.#player.screenshot());
        return;
      case 'leave':
        this.#player.leave();
        this.#reply(id, { result: true });
        return;
      case 'retry':
        this.#player.retry();
        this.#reply(id, { result: true });
        return;
      case 'token':
        this.#player.useToken(request.token);
        this.#reply(id, { result: true });
        return;
      case 'control':
        this.#control(id, request.action, request.payload);
    }
  }

  #control(id: RequestId, action: string, payload: unknown): void {
    const send = (): boolean => this.#player.control(action, payload);
    this.#calls.make(action, send, (result) => {
      if ('error' in result) {
        this.#refuse(id, 'control', result.error);
      } else {
        this.#reply(id, { result: result.response ?? null });
      }
    });
  }

  /** Replies with the outcome, or with `true` if it has no value. */
  async #settle(id: RequestId, method: Request['method'], outcome: Promise<unknown>): Promise<void> {
    try {
      this.#reply(id, { result: (await outcome) ?? true });
    } catch (error) {
      this.#refuse(id, method, error instanceof Error ? error.message : String(error));
    }
  }

  #reply(id: RequestId, outcome: { result: unknown } | { error: string }): void {
    if (id !== undefined) {
      this.#post({ pixelfleet: VERSION, id, ...outcome });
    }
  }

  /** Replies with an error; for a request without an id it is an event, so that no failure is silent. */
  #refuse(id: RequestId, method: Request['method'] | undefined, error: string): void {
    if (id === undefined) {
      this.#sendEvent('refused', { ...optional('method', method), error });
    } else {
      this.#reply(id, { error });
    }
  }

  #sendEvent(event: string, data: unknown): void {
    this.#post({ pixelfleet: VERSION, event, data });
  }
}
