import type { State } from '../state';
import type { Texts } from '../texts';
import { element, setText } from './dom';

/** How long the page may be away before the mark is shown, in milliseconds: most returns take one round trip. */
const QUIET_TIME = 800;

/** The mark over the picture while the page is without its server. */
export class AwayMark {
  readonly #element = element('away', HTMLElement);
  #texts: Texts;
  #timer: number | undefined;
  #isAway = false;

  constructor(texts: Texts) {
    this.#texts = texts;
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    if (!this.#element.hidden) {
      this.#draw();
    }
  }

  show(state: State): void {
    const isAway = 'away' in state;
    if (isAway === this.#isAway) {
      return;
    }
    this.#isAway = isAway;
    window.clearTimeout(this.#timer);
    if (isAway) {
      this.#timer = window.setTimeout(() => {
        this.#draw();
      }, QUIET_TIME);
    } else {
      this.#draw();
    }
  }

  #draw(): void {
    setText(this.#element, this.#isAway ? this.#texts['notice.away'] : undefined);
  }
}
