import { signInUrl } from '../sign_in/address';
import { hasPlayed, type State } from '../state';
import { interpolate, type Texts } from '../texts';
import { copyText } from './copy_link';
import { element, setText, updateList } from './dom';
import { showIcon } from './icon';
import { overlayContent, shutdownNotice, type Action, type OverlayContent } from './overlay_content';
import { shortcutText } from './shortcut';

/** How long the copy button confirms the copy, in milliseconds. */
const COPIED_DURATION = 2_000;

/**
 * How long a newly opened page shows no content, in milliseconds. Drawing content that is visible for an instant only
 * would delay the first frame. The style sheet has the same value (overlay.css).
 */
const STARTUP_DURATION = 400;

/** The layer over the video: status, details and actions. Its style depends on `data-` attributes of the root. */
export class Overlay {
  /** Resolves with the first frame, or after STARTUP_DURATION; until then the page shows no content. */
  readonly startupDone: Promise<void>;
  readonly #onAction: (action: 'retry' | 'play') => void;
  readonly #title = element('title', HTMLElement);
  readonly #detail = element('detail', HTMLElement);
  readonly #facts = element('facts', HTMLElement);
  readonly #hint = element('hint', HTMLElement);
  readonly #actions = element('actions', HTMLElement);
  readonly #buttons = [
    element('primary-action', HTMLButtonElement),
    element('secondary-action', HTMLButtonElement),
  ] as const;
  readonly #steps = element('steps', HTMLElement);
  readonly #reference = element('reference', HTMLElement);
  readonly #live = element('live', HTMLElement);
  readonly #notice = element('notice', HTMLElement);
  #texts: Texts;
  #state: State | undefined;
  #shownPhase: State['phase'] | undefined;
  #canSignIn = false;
  #isStartup = true;
  #endStartup: () => void = () => undefined;

  /** @param onAction - called when the user presses a button of the player */
  constructor(texts: Texts, onAction: (action: 'retry' | 'play') => void) {
    this.#texts = texts;
    this.#onAction = onAction;
    for (const button of this.#buttons) {
      button.addEventListener('click', () => {
        void this.#act(button);
      });
    }
    this.startupDone = new Promise((resolve) => {
      this.#endStartup = resolve;
      window.setTimeout(resolve, STARTUP_DURATION - performance.now());
    });
    void this.startupDone.then(() => {
      this.#isStartup = false;
      this.setTexts(this.#texts);
    });
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    if (this.#state !== undefined) {
      this.show(this.#state);
    }
  }

  /** Offers a sign-in to a player that is refused. */
  offerSignIn(): void {
    this.#canSignIn = true;
    this.setTexts(this.#texts);
  }

  show(state: State): void {
    const texts = this.#texts;
    const content = overlayContent(state, texts, this.#canSignIn);
    const root = document.documentElement;
    this.#state = state;
    root.dataset['phase'] = state.phase;
    root.dataset['picture'] = String(hasPlayed(state));
    setText(this.#notice, state.phase === 'playing' && state.ending ? shutdownNotice(state.text, texts) : undefined);
    if (content === undefined) {
      // After the frame that was just decoded is on the screen.
      window.requestAnimationFrame(() => window.setTimeout(this.#endStartup));
      // The old content stays, since the layer fades out with it.
      document.title = texts['page.name'];
      this.#announce(shortcutText('playing.say', texts) ?? '');
      this.#shownPhase = state.phase;
      return;
    }
    if (this.#isStartup) {
      return;
    }
    delete root.dataset['startup']; // not while video plays: content would appear in the layer that fades out
    const changed = this.#shownPhase !== state.phase;
    this.#shownPhase = state.phase;
    document.title = `${content.tab} · ${texts['page.name']}`;
    root.dataset['icon'] = content.icon;
    if (content.icon !== 'busy') {
      showIcon(element('status-icon', SVGUseElement), content.icon);
    }
    this.#write(content);
    this.#announce(content.announcement);
    if (changed && content.buttons.length > 0) {
      this.#takeFocus();
    }
  }

  #write(content: OverlayContent): void {
    setText(this.#title, content.title);
    setText(this.#detail, content.detail);
    setText(this.#hint, content.hint);
    setText(this.#reference, content.reference);
    updateList(this.#facts, content.facts.map(({ label, value }) => [label, value] as const));
    this.#facts.hidden = content.facts.length === 0;
    this.#steps.hidden = content.step === undefined;
    for (const step of this.#steps.querySelectorAll<HTMLElement>('[data-step]')) {
      step.classList.toggle('current', step.dataset['step'] === content.step);
    }
    this.#actions.hidden = content.buttons.length === 0;
    for (const [index, button] of this.#buttons.entries()) {
      const shown = content.buttons[index];
      setText(button, shown?.label);
      button.dataset['action'] = shown?.action ?? '';
    }
  }

  #announce(text: string): void {
    if (this.#live.textContent !== text) {
      this.#live.textContent = text;
    }
  }

  /** Moves the focus to the first button, unless the user works elsewhere, for example in another frame. */
  #takeFocus(): void {
    const focused = document.activeElement;
    const free = focused === null || focused === document.body || focused.id === 'stage';
    const hidden = focused instanceof HTMLElement && focused.offsetParent === null;
    if (document.hasFocus() && (free || hidden)) {
      this.#buttons[0].focus({ preventScroll: true });
    }
  }

  async #act(button: HTMLButtonElement): Promise<void> {
    const action = button.dataset['action'] as Action;
    if (action === 'reload') {
      location.reload();
      return;
    }
    if (action === 'sign-in') {
      location.assign(signInUrl(location.href));
      return;
    }
    if (action !== 'copy-link') {
      this.#onAction(action);
      return;
    }
    if (!(await copyText(location.href))) {
      setText(this.#hint, interpolate(this.#texts['action.copy-failed'], { link: location.href }));
      return;
    }
    setText(button, this.#texts['action.copied']);
    window.setTimeout(() => {
      if (button.dataset['action'] === 'copy-link') {
        setText(button, this.#texts['action.copy-link']);
      }
    }, COPIED_DURATION);
  }
}
