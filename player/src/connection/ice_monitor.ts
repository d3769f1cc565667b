import type { Media } from '../resume/edge';
import { hasNoPath, watchIcePath, type IcePathKind, type IcePathObserver } from './ice_path';

/** Attempts in a row that may find no path after video has played: some minutes of them. */
export const MAX_FAILED_ATTEMPTS = 24;

/** Watches the ICE path of the current peer connection, and counts the attempts that found none. */
export class IceMonitor {
  readonly #observer: IcePathObserver;
  #connection: RTCPeerConnection | undefined;
  #reportedKind: IcePathKind | undefined;
  #failedAttempts = 0;
  #hasPlayed = false;

  /** @param observer - receives the changes of the current peer connection only, and each kind once */
  constructor(observer: IcePathObserver) {
    this.#observer = observer;
  }

  /** Watches `connection` from now on, in place of any earlier one. */
  watch(connection: RTCPeerConnection): void {
    if (connection === this.#connection) {
      return;
    }
    this.#connection = connection;
    this.#reportedKind = undefined;
    watchIcePath(connection, {
      onLost: () => {
        if (connection === this.#connection) {
          this.#observer.onLost();
        }
      },
      onFound: () => {
        if (connection === this.#connection) {
          this.#observer.onFound();
        }
      },
      onKind: (kind) => {
        if (connection === this.#connection) {
          this.#report(kind);
        }
      },
    });
  }

  /** Watches no connection: the current one is about to be closed. */
  unwatch(): void {
    this.#connection = undefined;
  }

  /** Whether the current connection has a path, has lost it, or has none yet. */
  get media(): Media {
    const state = this.#connection?.iceConnectionState;
    if (state === 'connected' || state === 'completed') {
      return 'live';
    }
    return state === undefined || state === 'new' || state === 'checking' ? 'none' : 'lost';
  }

  /** The same in other words: without a path, whether ICE still looks for one. */
  get pathState(): 'connected' | 'disconnected' | 'failed' {
    if (this.media === 'live') {
      return 'connected';
    }
    const connection = this.#connection;
    const states: unknown[] = [connection?.iceConnectionState, connection?.connectionState];
    return states.includes('failed') ? 'failed' : 'disconnected';
  }

  /** Whether the current connection was negotiated but has no path. */
  get hasNoPath(): boolean {
    return hasNoPath(this.#connection);
  }

  /** Video plays, so there is a path. */
  videoPlayed(): void {
    this.#failedAttempts = 0;
    this.#hasPlayed = true;
  }

  /** Forgets earlier attempts: the user asked for a new one. */
  reset(): void {
    this.#failedAttempts = 0;
    this.#hasPlayed = false;
  }

  /**
   * Counts an attempt that found no path.
   *
   * @returns whether to try again: only after video has played, since a network that never had a path will not get one
   */
  attemptFailed(): boolean {
    this.#report('none');
    this.#failedAttempts += 1;
    return this.#hasPlayed && this.#failedAttempts < MAX_FAILED_ATTEMPTS;
  }

  #report(kind: IcePathKind): void {
    if (kind !== this.#reportedKind) {
      this.#reportedKind = kind;
      this.#observer.onKind(kind);
    }
  }
}
