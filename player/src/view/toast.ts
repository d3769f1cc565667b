import { element, setText } from './dom';

/** How long a toast is shown, in milliseconds. */
const TOAST_DURATION = 4_000;

/** A notice over the video that disappears after some seconds. */
export class Toast {
  readonly #element = element('toast', HTMLElement);
  #timer: number | undefined;

  show(text: string): void {
    setText(this.#element, text);
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      setText(this.#element, undefined);
    }, TOAST_DURATION);
  }
}
