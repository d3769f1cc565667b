/**
 * Remembers which pressed keys went to the page's own controls. The release of a key must go where its press went,
 * even if the focus has moved meanwhile: an application that misses a release would treat Alt as held for ever.
 */
export class PressedKeys {
  readonly #own = new Set<string>();

  /** @param own - whether the press goes to the page's controls */
  down(code: string, own: boolean): void {
    if (own) {
      this.#own.add(code);
    } else {
      this.#own.delete(code);
    }
  }

  /** Returns whether the release goes to the page's controls. */
  up(code: string): boolean {
    return this.#own.delete(code);
  }

  /** Forgets all keys: the window has lost the focus, and gets no more releases. */
  clear(): void {
    this.#own.clear();
  }
}
