import { hasPlayed, type State } from '../state';
import { interpolate, type Texts } from '../texts';
import { element, updateList, setText } from './dom';
import { showIcon } from './icon';
import { SHORTCUT } from './shortcut';
import { shutdownNotice, overlayContent, type Action, type OverlayContent } from './overlay_content';

/** How long the button says that something was copied, in milliseconds. */
const COPIED_FOR = 2_000;

/**
 * For how long a page that was just opened says nothing but that it plays, in milliseconds: words that nobody would
 * have the time to read delay the first frame. The style sheet shows nothing as long either (overlay.css).
 */
const QUIET_FOR = 400;

/** The one layer over the picture: where the person stands, what there is to know, and what can be done. */
export class Overlay {
  /** Settles when the picture is there, or the page has been open for a moment without one. */
  readonly quiet: Promise<void>;
  readonly #onAct: (act: 'retry' | 'play') => void;
  readonly #title = element('title', HTMLElement);
  readonly #detail = element('detail', HTMLElement);
  readonly #facts = element('facts', HTMLElement);
  readonly #hint = element('hint', HTMLElement);
  readonly #offers = element('offers', HTMLElement);
  readonly #buttons = [element('first-offer', HTMLButtonElement), element('second-offer', HTMLButtonElement)] as const;
  readonly #steps = element('steps', HTMLElement);
  readonly #reference = element('reference', HTMLElement);
  readonly #live = element('live', HTMLElement);
  readonly #notice = element('notice', HTMLElement);
  #texts: Texts;
  #state: State | undefined;
  /** The phase whose words stand there. */
  #said: State['phase'] | undefined;
  #isQuiet = true;
  #endQuiet: () => void = () => undefined;

  /** @param onAct - called when the person presses a button that is not the overlay's own affair */
  constructor(texts: Texts, onAct: (act: 'retry' | 'play') => void) {
    this.#texts = texts;
    this.#onAct = onAct;
    for (const button of this.#buttons) {
      button.addEventListener('click', () => {
        void this.#act(button);
      });
    }
    this.quiet = new Promise((resolve) => {
      this.#endQuiet = resolve;
      window.setTimeout(resolve, QUIET_FOR - performance.now());
    });
    void this.quiet.then(() => {
      this.#isQuiet = false;
      this.setTexts(this.#texts);
    });
  }

  /** Says all from now on in `texts`. */
  setTexts(texts: Texts): void {
    this.#texts = texts;
    if (this.#state !== undefined) {
      this.show(this.#state);
    }
  }

  /** Shows `state`; how it looks is the style sheet's, by the `data-` attributes on the root. */
  show(state: State): void {
    const texts = this.#texts;
    const words = overlayContent(state, texts);
    const root = document.documentElement;
    this.#state = state;
    root.dataset['phase'] = state.phase;
    root.dataset['picture'] = String(hasPlayed(state));
    setText(this.#notice, state.phase === 'playing' && state.ending ? shutdownNotice(state.text, texts) : undefined);
    if (words === undefined) {
      // The frame that was reported is shown first.
      window.requestAnimationFrame(() => window.setTimeout(this.#endQuiet));
      // The layer fades out with its last words on it.
      document.title = texts['page.name'];
      this.#announce(interpolate(texts['playing.say'], { shortcut: SHORTCUT }));
      this.#said = state.phase;
      return;
    }
    if (this.#isQuiet) {
      return;
    }
    delete root.dataset['quiet']; // not while it plays: the layer would get words as it fades out
    const changed = this.#said !== state.phase;
    this.#said = state.phase;
    document.title = `${words.tab} · ${texts['page.name']}`;
    root.dataset['mark'] = words.mark;
    if (words.mark !== 'busy') {
      showIcon(element('mark', SVGUseElement), words.mark);
    }
    this.#write(words);
    this.#announce(words.announcement);
    if (changed && words.offers.length > 0) {
      this.#takeFocus();
    }
  }

  #write(words: OverlayContent): void {
    setText(this.#title, words.title);
    setText(this.#detail, words.detail);
    setText(this.#hint, words.hint);
    setText(this.#reference, words.reference);
    updateList(this.#facts, words.facts.map(({ label, value }) => [label, value] as const));
    this.#facts.hidden = words.facts.length === 0;
    this.#steps.hidden = words.step === undefined;
    for (const step of this.#steps.querySelectorAll<HTMLElement>('[data-step]')) {
      step.classList.toggle('current', step.dataset['step'] === words.step);
    }
    this.#offers.hidden = words.offers.length === 0;
    for (const [at, button] of this.#buttons.entries()) {
      const offer = words.offers[at];
      setText(button, offer?.label);
      button.dataset['act'] = offer?.act ?? '';
    }
  }

  #announce(sentences: string): void {
    if (this.#live.textContent !== sentences) {
      this.#live.textContent = sentences;
    }
  }

  /** Brings the keyboard to the button, unless the person is at work elsewhere, in another frame perhaps. */
  #takeFocus(): void {
    const focused = document.activeElement;
    const free = focused === null || focused === document.body || focused.id === 'stage';
    const hidden = focused instanceof HTMLElement && focused.offsetParent === null;
    if (document.hasFocus() && (free || hidden)) {
      this.#buttons[0].focus({ preventScroll: true });
    }
  }

  async #act(button: HTMLButtonElement): Promise<void> {
    const act = button.dataset['act'] as Action;
    if (act !== 'copy-link') {
      this.#onAct(act);
      return;
    }
    await navigator.clipboard.writeText(location.href);
    setText(button, this.#texts['action.copied']);
    window.setTimeout(() => {
      if (button.dataset['act'] === 'copy-link') {
        setText(button, this.#texts['action.copy-link']);
      }
    }, COPIED_FOR);
  }
}
