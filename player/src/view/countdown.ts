import type { State, Warning } from '../state';
import { plural, type Texts } from '../texts';
import { element, setText } from './dom';

/** A screen reader announces the remaining time when the countdown appears, and again this many seconds before 0. */
const LAST_ANNOUNCEMENT = 10;

/** The countdown to the end of the session, over the picture. */
export class Countdown {
  readonly #element = element('countdown', HTMLElement);
  readonly #text = element('countdown-text', HTMLElement);
  readonly #time = element('countdown-time', HTMLElement);
  readonly #alert = element('countdown-alert', HTMLElement);
  readonly #stay = element('countdown-stay', HTMLButtonElement);
  #texts: Texts;
  #warning: Warning | undefined;
  #timer: number | undefined;
  #isAnnounced: 'no' | 'first' | 'last' = 'no';

  /** @param onStay - called when the user presses the button "I am still here" */
  constructor(texts: Texts, onStay: () => void) {
    this.#texts = texts;
    this.#stay.addEventListener('click', () => {
      onStay();
      element('stage', HTMLElement).focus(); // the button disappears, and the keys are the application's again
    });
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    this.#draw();
  }

  show(state: State): void {
    const warning = 'warning' in state ? state.warning : undefined;
    if (warning === this.#warning) {
      return;
    }
    if (warning?.limit !== this.#warning?.limit) {
      this.#isAnnounced = 'no';
    }
    this.#warning = warning;
    window.clearInterval(this.#timer);
    if (warning !== undefined) {
      this.#timer = window.setInterval(() => {
        this.#draw();
      }, 1_000);
    }
    this.#draw();
  }

  #draw(): void {
    const warning = this.#warning;
    this.#element.hidden = warning === undefined;
    if (warning === undefined) {
      this.#alert.textContent = '';
      return;
    }
    const texts = this.#texts;
    const seconds = Math.max(0, Math.ceil((warning.endsAt - Date.now()) / 1_000));
    setText(this.#text, texts[`countdown.${warning.limit}`]);
    setText(this.#time, clock(seconds));
    this.#stay.hidden = warning.limit !== 'idle';
    this.#announce(seconds, `${texts[`countdown.${warning.limit}`]} ${plural('countdown.say', seconds, texts, { seconds })}`);
  }

  #announce(seconds: number, text: string): void {
    const due = seconds <= LAST_ANNOUNCEMENT ? 'last' : 'first';
    if (this.#isAnnounced !== due && this.#isAnnounced !== 'last') {
      this.#isAnnounced = due;
      this.#alert.textContent = text;
    }
  }
}

/** Formats seconds as minutes and seconds, for example 1:05. */
export function clock(seconds: number): string {
  return `${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, '0')}`;
}
