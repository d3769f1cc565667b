/**
 * Remembers whose each pressed key is, the page's own controls' or the application's: whoever saw it go down must
 * see it come up, wherever the focus went meanwhile. An application that missed it would think Alt is held for ever.
 */
export class PressedKeys {
  readonly #ours = new Set<string>();

  /** A key went down; `ours` is whether the page's controls had the focus. */
  down(code: string, ours: boolean): void {
    if (ours) {
      this.#ours.add(code);
    } else {
      this.#ours.delete(code);
    }
  }

  /** A key came up: tells whether it was the page's own. */
  up(code: string): boolean {
    return this.#ours.delete(code);
  }

  /** The window lost the keyboard, and with it what comes up. */
  forget(): void {
    this.#ours.clear();
  }
}
