import type { PageSettings } from '../page/page_settings';
import type { State } from '../state';
import type { StreamStats } from '../stats';
import { ControlCalls } from './control_calls';
import { invoke, noticesFor } from './legacy_protocol';
import { readMessage, VERSION, type Request, type RequestId } from './requests';

/** What an embedding page can reach of the page. */
export interface PlayerApi {
  readonly state: State;
  readonly figures: StreamStats | undefined;
  /** Sends an interaction to the application; false while there is none to send it to. */
  interact(value: object | string): boolean;
  /** Sends a command to the application's own settings, such as `{'Encoder.MaxQP': 40}`. */
  command(value: object): boolean;
  /** Sends a `control` message to the server; false while it is not connected. */
  control(action: string, payload: unknown): boolean;
  testLatency(): boolean;
  retry(): void;
}

/** How long an answer to a `control` call is waited for, in milliseconds: longer than any server takes. */
export const CONTROL_TIMEOUT = 60_000;

const NOT_CONNECTED = 'the stream is not connected';

/**
 * The conversation with an embedding page whose origin has been found to be allowed. It holds no window: what it
 * says goes to `post`.
 */
export class Bridge {
  readonly #settings: PageSettings;
  readonly #player: PlayerApi;
  readonly #post: (message: object) => void;
  readonly #calls = new ControlCalls();
  #watchesStats = false;
  #last: State;

  constructor(settings: PageSettings, player: PlayerApi, post: (message: object) => void) {
    this.#settings = settings;
    this.#player = player;
    this.#post = post;
    this.#last = player.state;
    this.#event('ready', { state: player.state });
  }

  /** Takes what the embedding page posted. */
  receive(data: unknown): void {
    const incoming = readMessage(data);
    switch (incoming.kind) {
      case 'none':
        return;
      case 'invalid':
        this.#answer(incoming.id, { error: incoming.problem });
        return;
      case 'request':
        this.#serve(incoming.id, incoming.request);
        return;
      case 'invoke': {
        const problem = invoke(incoming.name, incoming.args, this.#settings.functions, this.#player);
        if (problem !== undefined) {
          this.#post({ notice: { ok: false, type: 'invoke', status: 'refused', invoke: incoming.name, detail: problem } });
        }
      }
    }
  }

  /** The page is in a new state. */
  state(state: State): void {
    this.#event('state', state);
    if (this.#usesLegacyProtocol) {
      for (const notice of noticesFor(this.#last, state)) {
        this.#post({ notice });
      }
    }
    if (state.phase === 'reconnecting' || state.phase === 'waiting' || state.phase === 'ended') {
      this.#calls.abandon(NOT_CONNECTED);
    }
    this.#last = state;
  }

  /** The matchmaker spoke; `message` is what it said. */
  matchmaker(message: unknown): void {
    if (this.#usesLegacyProtocol && typeof message === 'object' && message !== null) {
      const { matched, detail } = message as Record<string, unknown>;
      this.#post({ notice: { ok: matched === true, type: 'matchmaker', detail } });
    }
  }

  /** New figures were measured. */
  stats(figures: StreamStats): void {
    if (this.#watchesStats) {
      this.#event('stats', figures);
    }
  }

  /** The application sent a text over the data channel. */
  response(text: string): void {
    this.#event('response', text);
    if (this.#usesLegacyProtocol) {
      this.#post({ response: text });
    }
  }

  /** The server answered a `control` message. */
  controlAnswered(message: unknown): void {
    this.#calls.answered(message);
    if (this.#usesLegacyProtocol && typeof message === 'object' && message !== null) {
      this.#post({ ...message, type: 'response' });
    }
  }

  /** Pages that were written for the older dialect hear it where they may also use it. */
  get #usesLegacyProtocol(): boolean {
    return this.#settings.functions.length > 0;
  }

  #serve(id: RequestId, request: Request): void {
    switch (request.method) {
      case 'state':
        this.#answer(id, { result: this.#player.state });
        return;
      case 'stats':
        this.#answer(id, { result: this.#player.figures ?? null });
        return;
      case 'watch':
        this.#watchesStats = request.stats;
        this.#answer(id, { result: true });
        return;
      case 'interact':
        this.#answer(id, this.#player.interact(request.value) ? { result: true } : { error: NOT_CONNECTED });
        return;
      case 'retry':
        this.#player.retry();
        this.#answer(id, { result: true });
        return;
      case 'control':
        this.#control(id, request.action, request.payload);
    }
  }

  #control(id: RequestId, action: string, payload: unknown): void {
    const giveUp = this.#calls.add(action, (outcome) => {
      clearTimeout(timer);
      this.#answer(id, 'error' in outcome ? outcome : { result: outcome.response ?? null });
    });
    const timer = setTimeout(() => giveUp?.('no answer came'), CONTROL_TIMEOUT);
    if (giveUp === undefined) {
      clearTimeout(timer);
      this.#answer(id, { error: 'too many calls wait for their answer' });
    } else if (!this.#player.control(action, payload)) {
      giveUp(NOT_CONNECTED);
    }
  }

  #answer(id: RequestId, outcome: { result: unknown } | { error: string }): void {
    if (id !== undefined) {
      this.#post({ pixelfleet: VERSION, id, ...outcome });
    }
  }

  #event(event: string, data: unknown): void {
    this.#post({ pixelfleet: VERSION, event, data });
  }
}
