import type { State } from './core';
import { NOT_CONNECTED } from './embed/control_calls';
import type { PlayerApi } from './embed/bridge';

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

  mute(): void {
    // There is no sound.
  }

  fullscreen(): Promise<void> {
    return Promise.reject(new Error(NOT_CONNECTED));
  }

  setQuality(): void {
    // There is no video.
  }

  screenshot(): Promise<Blob> {
    return Promise.reject(new Error(NOT_CONNECTED));
  }

  leave(): void {
    // There is no session.
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
