import { element, setText } from './dom';

/** How long a passing remark is shown, in milliseconds. */
const SHOWN_FOR = 4_000;

/** A remark over the picture that goes away by itself. */
export class Toast {
  readonly #element = element('toast', HTMLElement);
  #timer: number | undefined;

  show(words: string): void {
    setText(this.#element, words);
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      setText(this.#element, undefined);
    }, SHOWN_FOR);
  }
}
