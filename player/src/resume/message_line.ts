/** The most messages that are kept for a replay. */
export const MAX_KEPT = 256;

/** The most characters of kept messages. */
export const MAX_KEPT_LENGTH = 512 * 1024;

/**
 * The messages of one session: counts those received, and keeps those sent until the server has acknowledged them.
 *
 * Past a limit the oldest ones are discarded. A return to the session then fails if the server lacks one of them.
 */
export class MessageLine {
  #received = 0;
  #kept: string[] = [];
  /** The number of the first kept message, counted from 0. */
  #first = 0;
  #length = 0;

  /** The number of messages received. */
  get received(): number {
    return this.#received;
  }

  /** A message was received. */
  count(): void {
    this.#received += 1;
  }

  /** The server counts from here on: the messages so far came from a service in front of it. */
  restart(): void {
    this.#received = 0;
  }

  /** A message is sent, or is to be sent on the return. */
  keep(text: string): void {
    this.#kept.push(text);
    this.#length += text.length;
    while (this.#kept.length > MAX_KEPT || this.#length > MAX_KEPT_LENGTH) {
      this.#discard();
    }
  }

  /** The server has the first `count` messages. */
  acknowledge(count: number): void {
    while (this.#first < count && this.#kept.length > 0) {
      this.#discard();
    }
  }

  /**
   * The messages that a server lacks which has the first `count`.
   *
   * @returns undefined when some of them are no longer kept, or when the server has more than were sent
   */
  missingFrom(count: number): readonly string[] | undefined {
    const start = count - this.#first;
    return start < 0 || start > this.#kept.length ? undefined : this.#kept.slice(start);
  }

  #discard(): void {
    this.#length -= this.#kept.shift()?.length ?? 0;
    this.#first += 1;
  }
}
