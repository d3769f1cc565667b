import { isCut, watchIcePath, type IcePathKind } from './ice_path';

/** Tries in a row that may find no way through the network, once a picture was there: some minutes of them. */
export const MAX_FAILED_ATTEMPTS = 24;

/** What came of the way through the network, of the newest peer connection only. */
export interface IcePathObserver {
  /** It is lost, or was never found. */
  broken(): void;
  /** Its kind is known, or is another. */
  kind(kind: IcePathKind): void;
}

/** Follows the way of the peer connection that the page has now, and counts the tries that found none. */
export class IceMonitor {
  readonly #news: IcePathObserver;
  #connection: RTCPeerConnection | undefined;
  #told: IcePathKind | undefined;
  #cuts = 0;
  #hasPlayed = false;

  constructor(news: IcePathObserver) {
    this.#news = news;
  }

  /** Follows `connection` from now on, and no other. */
  follow(connection: RTCPeerConnection): void {
    if (connection === this.#connection) {
      return;
    }
    this.#connection = connection;
    this.#told = undefined;
    watchIcePath(connection, {
      broken: () => {
        if (connection === this.#connection) {
          this.#news.broken();
        }
      },
      kind: (kind) => {
        if (connection === this.#connection) {
          this.#tell(kind);
        }
      },
    });
  }

  /** Follows none: the connection is given up, and how it ends is no news. */
  drop(): void {
    this.#connection = undefined;
  }

  /** Whether offer and answer are exchanged, and there is no way for the video. */
  get isCut(): boolean {
    return isCut(this.#connection);
  }

  /** A picture came: there was a way. */
  found(): void {
    this.#cuts = 0;
    this.#hasPlayed = true;
  }

  /** The person asks for a fresh start. */
  reset(): void {
    this.#cuts = 0;
    this.#hasPlayed = false;
  }

  /**
   * Counts a try that found no way.
   *
   * @returns whether another makes sense: there was one before, and may be again. From a network that never had one
   * the next try would find none either.
   */
  missed(): boolean {
    this.#tell('none');
    this.#cuts += 1;
    return this.#hasPlayed && this.#cuts < MAX_FAILED_ATTEMPTS;
  }

  #tell(kind: IcePathKind): void {
    if (kind !== this.#told) {
      this.#told = kind;
      this.#news.kind(kind);
    }
  }
}
