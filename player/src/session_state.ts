import { INITIAL, reduce, type State, type StateEvent } from './state';

/** How long the phase "starting" may last before it counts as failed, in milliseconds. */
const STARTING_TIMEOUT = 30_000;

/** The same while the page retries after a lost ICE path: shorter, so that it soon finds a path that came back. */
const RETRY_TIMEOUT = 7_000;

/** Holds the state, and limits the time that the phase "starting" takes. */
export class SessionState {
  readonly #onChange: (state: State) => void;
  readonly #onStartingTimeout: () => void;
  #current = INITIAL;
  #timer: number | undefined;

  /**
   * @param onChange - called with each new state
   * @param onStartingTimeout - called when the phase "starting" takes too long
   */
  constructor(onChange: (state: State) => void, onStartingTimeout: () => void) {
    this.#onChange = onChange;
    this.#onStartingTimeout = onStartingTimeout;
  }

  get current(): State {
    return this.#current;
  }

  dispatch(event: StateEvent): void {
    const state = reduce(this.#current, event);
    if (state === this.#current) {
      return;
    }
    if (state.phase !== this.#current.phase) {
      window.clearTimeout(this.#timer);
      if (state.phase === 'starting') {
        this.#timer = window.setTimeout(this.#onStartingTimeout, state.cut ? RETRY_TIMEOUT : STARTING_TIMEOUT);
      }
    }
    this.#current = state;
    this.#onChange(state);
  }
}
