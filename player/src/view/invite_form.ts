import { inviteLink, type Invited } from '../people/messages';
import type { InviteRequest } from '../people/session_people';
import { interpolate, type Texts } from '../texts';
import { copyText } from './copy_link';
import { element, setText } from './dom';

/** How long "Copied" is shown, in milliseconds. */
const COPIED_DURATION = 2_500;

/** The form with which a host makes an invite link. */
export class InviteForm {
  readonly #form = element('invite', HTMLFormElement);
  readonly #role = element('invite-role', HTMLSelectElement);
  readonly #name = element('invite-name', HTMLInputElement);
  readonly #valid = element('invite-valid', HTMLSelectElement);
  readonly #once = element('invite-once', HTMLInputElement);
  readonly #result = element('invite-result', HTMLElement);
  readonly #link = element('invite-link', HTMLInputElement);
  readonly #copy = element('invite-copy', HTMLButtonElement);
  readonly #status = element('invite-status', HTMLElement);
  #texts: Texts;
  #timer: number | undefined;

  /** @param onRequest - sends the request; returns whether there is a connection */
  constructor(texts: Texts, onRequest: (request: InviteRequest) => boolean) {
    this.#texts = texts;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const request = {
        role: this.#role.value === 'guest' ? ('guest' as const) : ('spectator' as const),
        seconds: Number(this.#valid.value),
        once: this.#once.checked,
        name: this.#name.value.trim(),
      };
      this.clear(); // or the link of an earlier invite could be taken for the new one
      if (!onRequest(request)) {
        setText(this.#status, this.#texts['people.invite.failed']);
      }
    });
    this.#copy.addEventListener('click', () => {
      void this.#copyLink();
    });
    this.#link.addEventListener('focus', () => {
      this.#link.select();
    });
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
  }

  /** Shows the form to a host. Who becomes a guest must not see a link that is left. */
  setAllowed(allowed: boolean): void {
    this.#form.hidden = !allowed;
    if (!allowed) {
      this.clear();
    }
  }

  /** Shows the link of an invite, or why there is none. */
  show(invited: Invited): void {
    if (!('token' in invited)) {
      this.#result.hidden = true;
      const { error } = invited;
      const texts = this.#texts;
      setText(
        this.#status,
        error === '' ? texts['people.invite.failed'] : interpolate(texts['people.invite.failed.why'], { reason: error }),
      );
      return;
    }
    this.#link.value = inviteLink(location.href, invited.token);
    this.#result.hidden = false;
    this.#name.value = '';
    setText(this.#status, this.#texts['people.invite.made']);
    this.#copy.focus({ preventScroll: true });
    this.#copy.scrollIntoView({ block: 'nearest' });
  }

  /** Removes the link. */
  clear(): void {
    this.#link.value = '';
    this.#result.hidden = true;
    setText(this.#status, undefined);
  }

  async #copyLink(): Promise<void> {
    const copied = await copyText(this.#link.value);
    const text = this.#texts[copied ? 'action.copied' : 'people.invite.copy-failed'];
    setText(this.#status, text);
    if (!copied) {
      this.#link.focus();
    }
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      if (this.#status.textContent === text) {
        setText(this.#status, undefined);
      }
    }, COPIED_DURATION);
  }
}
