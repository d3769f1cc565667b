import type { State } from '../state';
import type { Texts } from '../texts';
import { element, setLabel } from './dom';
import { isShortcut } from './shortcut';

/** How long the controls stay open without use, in milliseconds. */
const OPEN_DURATION = 6_000;

/**
 * The controls in the corner. They collapse into one small button when they are not used. The keyboard reaches them
 * by a shortcut, since the application receives all other keys.
 */
export class Dock {
  readonly #dock = element('dock', HTMLElement);
  readonly #tools = element('tools', HTMLElement);
  readonly #toggle = element('dock-toggle', HTMLButtonElement);
  readonly #stage = element('stage', HTMLElement);
  readonly #pinned: () => boolean;
  #texts: Texts;
  #open = true;
  #timer: number | undefined;

  /** @param pinned - whether a panel of the controls is open, which keeps them open */
  constructor(texts: Texts, pinned: () => boolean) {
    this.#texts = texts;
    this.#pinned = pinned;
    this.#toggle.addEventListener('click', () => {
      this.#setOpen(!this.#open);
    });
    for (const event of ['pointerenter', 'pointermove', 'focusin'] as const) {
      this.#dock.addEventListener(event, () => {
        this.#scheduleCollapse();
      });
    }
    this.#dock.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') {
        this.#setOpen(false);
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

  /** Shows the controls while a stream plays, opened at first so that users notice them. */
  show(state: State): void {
    const hidden = state.phase !== 'playing';
    if (hidden !== this.#dock.hidden) {
      this.#dock.hidden = hidden;
      this.#setOpen(true);
    }
  }

  #onKey(event: KeyboardEvent): void {
    if (this.#dock.hidden || !isShortcut(event)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.#setOpen(true);
    const first = [...this.#tools.querySelectorAll('button')].find((button) => !button.hidden);
    (first ?? this.#toggle).focus();
  }

  #setOpen(open: boolean): void {
    this.#open = open;
    this.#draw();
    this.#scheduleCollapse();
  }

  #scheduleCollapse(): void {
    window.clearTimeout(this.#timer);
    if (!this.#open || this.#dock.hidden) {
      return;
    }
    this.#timer = window.setTimeout(() => {
      const used = this.#pinned() || this.#dock.contains(document.activeElement) || this.#dock.matches(':hover');
      if (used) {
        this.#scheduleCollapse();
      } else {
        this.#setOpen(false);
      }
    }, OPEN_DURATION);
  }

  #draw(): void {
    this.#dock.dataset['open'] = String(this.#open);
    this.#toggle.setAttribute('aria-expanded', String(this.#open));
    setLabel(this.#toggle, this.#texts[this.#open ? 'controls.close' : 'controls.open']);
  }
}
