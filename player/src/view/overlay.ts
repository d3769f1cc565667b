import { hasPlayed, type State } from '../state';
import { element } from './element';
import { wordsFor } from './words';

/** The one layer over the picture: a sentence, what there is to know beside it, and at most one button. */
export class Overlay {
  readonly #title = element('title', HTMLElement);
  readonly #detail = element('detail', HTMLElement);
  readonly #action = element('action', HTMLButtonElement);
  readonly #notice = element('notice', HTMLElement);

  /** @param onAction - called when the person presses the button */
  constructor(onAction: () => void) {
    this.#action.addEventListener('click', onAction);
  }

  /** Shows `state`; how it looks is the style sheet's, by the `data-` attributes on the root. */
  show(state: State): void {
    const words = wordsFor(state);
    const root = document.documentElement;
    root.dataset['phase'] = state.phase;
    root.dataset['busy'] = String(words?.busy ?? false);
    root.dataset['picture'] = String(hasPlayed(state));
    say(this.#notice, state.phase === 'playing' ? state.notice : undefined);
    if (words === undefined) {
      return; // the layer fades out with its last words on it
    }
    say(this.#title, words.title);
    say(this.#detail, words.detail);
    say(this.#action, words.action);
    if (words.action !== undefined && document.activeElement === document.body) {
      this.#action.focus({ preventScroll: true });
    }
  }
}

/** Changes a text only when it differs, so that a screen reader is not made to repeat itself. */
function say(target: HTMLElement, words: string | undefined): void {
  if (target.textContent !== (words ?? '')) {
    target.textContent = words ?? '';
  }
  target.hidden = words === undefined;
}
