import type { PlayerApi } from './embed/bridge';
import type { State } from './state';

/** Stands for the player on a page that does not connect at all: it has one state, and sends nothing. */
export class StoppedPlayer implements PlayerApi {
  readonly state: State;
  readonly stats = undefined;

  constructor(state: State) {
    this.state = state;
  }

  interact(): boolean {
    return false;
  }

  command(): boolean {
    return false;
  }

  control(): boolean {
    return false;
  }

  testLatency(): boolean {
    return false;
  }

  /** Has no effect: the page does not connect. */
  useToken(): void {
    // There is no connection that could use it.
  }

  /** Has no effect: the page of such a state has no button to try again. */
  retry(): void {
    // A new attempt would end in the same state.
  }
}
