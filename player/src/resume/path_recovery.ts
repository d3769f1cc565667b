/** How long a path that ICE has given up may take to come back once the network is there, in milliseconds. */
export const FAILED_TIMEOUT = 3_000;

/** The same for a path that ICE still checks: it mostly finds it again. */
export const DISCONNECTED_TIMEOUT = 6_000;

/** What the recovery asks for. */
export interface PathObserver {
  /** The state of the path now. */
  state(): 'connected' | 'disconnected' | 'failed';
  /** Asks the server whether it is there. */
  ask(): void;
  /** `isWaiting` has changed. */
  onWaiting(): void;
  /** The network is there, and the path is not: only a new negotiation finds another one. */
  onGone(): void;
}

/**
 * Decides when a lost ICE path is given up. While the network is away nothing is lost by waiting: ICE finds the path
 * again after a gap of up to some 16 s, and the picture continues without a new negotiation.
 */
export class PathRecovery {
  readonly #observer: PathObserver;
  #isWaiting = false;
  #timers: number[] = [];

  constructor(observer: PathObserver) {
    this.#observer = observer;
  }

  /** Whether the path was lost, and may come back. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** The path was lost. */
  lost(): void {
    this.#setWaiting(true);
    this.#observer.ask();
  }

  /** The server has answered, so the network is there. */
  answered(): void {
    if (this.#isWaiting && this.#timers.length === 0) {
      this.#timers = [
        window.setTimeout(() => {
          this.#check(['failed']);
        }, FAILED_TIMEOUT),
        window.setTimeout(() => {
          this.#check(['failed', 'disconnected']);
          this.#timers = [];
        }, DISCONNECTED_TIMEOUT),
      ];
    }
  }

  /** The path is there again, or its peer connection or the connection to the server has ended. */
  stop(): void {
    this.#setWaiting(false);
    this.#timers.forEach((timer) => {
      window.clearTimeout(timer);
    });
    this.#timers = [];
  }

  #setWaiting(isWaiting: boolean): void {
    if (isWaiting !== this.#isWaiting) {
      this.#isWaiting = isWaiting;
      this.#observer.onWaiting();
    }
  }

  #check(given: readonly string[]): void {
    const state = this.#observer.state();
    if (given.includes(state)) {
      this.stop();
      this.#observer.onGone();
    } else if (state === 'connected') {
      this.stop();
    }
  }
}
