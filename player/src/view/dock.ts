import type { State } from '../state';
import type { Texts } from '../texts';
import { element, setLabel } from './dom';
import { isShortcut } from './shortcut';

/** How long the controls stay open by themselves, in milliseconds. */
const OPEN_FOR = 6_000;

/**
 * The controls in the corner. They fold up into one small button when nobody uses them, and the keyboard reaches
 * them by a shortcut, since the application gets all other keys.
 */
export class Dock {
  readonly #dock = element('dock', HTMLElement);
  readonly #tools = element('tools', HTMLElement);
  readonly #handle = element('handle', HTMLButtonElement);
  readonly #stage = element('stage', HTMLElement);
  readonly #pinned: () => boolean;
  #texts: Texts;
  #open = true;
  #timer: number | undefined;

  /** @param pinned - whether something that belongs to the controls is open, so that they stay */
  constructor(texts: Texts, pinned: () => boolean) {
    this.#texts = texts;
    this.#pinned = pinned;
    this.#handle.addEventListener('click', () => {
      this.#turn(!this.#open);
    });
    for (const event of ['pointerenter', 'pointermove', 'focusin'] as const) {
      this.#dock.addEventListener(event, () => {
        this.#foldLater();
      });
    }
    this.#dock.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') {
        this.#turn(false);
        this.#stage.focus();
      }
    });
    window.addEventListener(
      'keydown',
      (event) => {
        this.#onKey(event);
      },
      { capture: true },
    );
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    this.#draw();
  }

  /** Is there while a stream plays, open at first so that it is noticed. */
  show(state: State): void {
    const hidden = state.phase !== 'playing';
    if (hidden !== this.#dock.hidden) {
      this.#dock.hidden = hidden;
      this.#turn(true);
    }
  }

  #onKey(event: KeyboardEvent): void {
    if (this.#dock.hidden || !isShortcut(event)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.#turn(true);
    const first = [...this.#tools.querySelectorAll('button')].find((button) => !button.hidden);
    (first ?? this.#handle).focus();
  }

  #turn(open: boolean): void {
    this.#open = open;
    this.#draw();
    this.#foldLater();
  }

  #foldLater(): void {
    window.clearTimeout(this.#timer);
    if (!this.#open || this.#dock.hidden) {
      return;
    }
    this.#timer = window.setTimeout(() => {
      const used = this.#pinned() || this.#dock.contains(document.activeElement) || this.#dock.matches(':hover');
      if (used) {
        this.#foldLater();
      } else {
        this.#turn(false);
      }
    }, OPEN_FOR);
  }

  #draw(): void {
    this.#dock.dataset['open'] = String(this.#open);
    this.#handle.setAttribute('aria-expanded', String(this.#open));
    setLabel(this.#handle, this.#texts[this.#open ? 'controls.close' : 'controls.open']);
  }
}
