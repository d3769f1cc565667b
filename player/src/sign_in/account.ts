import { interpolate, type Texts } from '../texts';
import { element, setText } from '../view/dom';

/** The part of the panel that shows who is signed in, with the button to sign out. It is hidden for everybody else. */
export class Account {
  readonly #section = element('account', HTMLElement);
  readonly #name = element('account-name', HTMLElement);
  #texts: Texts;
  #shown: string | undefined;

  /**
   * Asks the server once whether the browser is signed in.
   *
   * @param onSignOut - called before the browser is signed out
   */
  constructor(texts: Texts, onSignOut: () => void) {
    this.#texts = texts;
    element('sign-out', HTMLButtonElement).addEventListener('click', () => {
      onSignOut();
      void signOut();
    });
    void this.#load();
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    this.#draw();
  }

  async #load(): Promise<void> {
    try {
      const response = await fetch('sign-in/session', { cache: 'no-store', priority: 'low' });
      const { signedIn, name } = (await response.json()) as { signedIn?: unknown; name?: unknown };
      this.#shown = signedIn === true && typeof name === 'string' ? name : undefined;
    } catch {
      return; // the panel has no account then
    }
    this.#draw();
  }

  #draw(): void {
    this.#section.hidden = this.#shown === undefined;
    if (this.#shown !== undefined) {
      setText(this.#name, interpolate(this.#texts['panel.signed-in'], { name: this.#shown }));
    }
  }
}

/** Signs the browser out at the router, and continues where the router leads: to the issuer, or to the page. */
async function signOut(): Promise<void> {
  const response = await fetch('sign-in/out', { method: 'POST' });
  const { location: next } = (await response.json()) as { location?: unknown };
  if (response.ok && typeof next === 'string') {
    location.assign(next);
  }
}
