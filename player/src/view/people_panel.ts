import type { Invited, People } from '../people/messages';
import type { SessionPeople } from '../people/session_people';
import type { State } from '../state';
import { interpolate, type Texts } from '../texts';
import { element, setText } from './dom';
import { InviteForm } from './invite_form';
import { PeopleList } from './people_list';

/** The panel with the people of the session and, for its host, the invites. */
export class PeoplePanel {
  readonly #panel = element('people', HTMLElement);
  readonly #button = element('people-button', HTMLButtonElement);
  readonly #count = element('people-count', HTMLElement);
  readonly #form: InviteForm;
  readonly #list: PeopleList;
  readonly #onOpen: () => void;
  #texts: Texts;
  #people: People | undefined;

  /** @param onOpen - called when the panel opens, in the place of which another panel may be */
  constructor(texts: Texts, session: () => SessionPeople, onOpen: () => void) {
    this.#texts = texts;
    this.#onOpen = onOpen;
    this.#form = new InviteForm(texts, (request) => session().invite(request));
    this.#list = new PeopleList({
      remove: (person) => session().remove(person),
      mute: (person, muted) => session().mute(person, muted),
      handOver: (person) => session().handOver(person),
    });
    this.#button.addEventListener('click', () => {
      this.#setOpen(!this.open);
    });
    element('people-close', HTMLButtonElement).addEventListener('click', () => {
      this.#setOpen(false);
    });
    this.#panel.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') {
        this.#setOpen(false);
      }
    });
  }

  get open(): boolean {
    return !this.#panel.hidden;
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    this.#form.setTexts(texts);
    this.#draw();
  }

  show(state: State): void {
    if (state.phase !== 'playing' && this.open) {
      this.#setOpen(false);
    }
  }

  /** Hides the panel, without a change of the focus: another one takes its place. */
  hide(): void {
    if (this.open) {
      this.#panel.hidden = true;
      this.#button.setAttribute('aria-expanded', 'false');
    }
  }

  /** Shows the people; without them there is no panel. A page that is alone and may invite nobody has none, either. */
  setPeople(people: People | undefined): void {
    this.#people = people;
    this.#button.hidden = people === undefined || (people.people.length < 2 && !people.mayInvite);
    if (people === undefined) {
      this.hide();
      this.#form.clear();
    }
    this.#draw();
  }

  setInvited(invited: Invited): void {
    this.#form.show(invited);
  }

  #setOpen(open: boolean): void {
    if (open) {
      this.#onOpen();
    } else {
      this.#form.clear();
    }
    this.#panel.hidden = !open;
    this.#button.setAttribute('aria-expanded', String(open));
    this.#draw();
    if (open) {
      this.#panel.focus({ preventScroll: true });
    } else if (!element('dock', HTMLElement).hidden) {
      this.#button.focus({ preventScroll: true });
    }
  }

  #draw(): void {
    const people = this.#people;
    if (people === undefined) {
      return;
    }
    const count = people.people.length;
    setText(this.#count, interpolate(this.#texts['people.count'], { count, limit: people.limit }));
    this.#form.setAllowed(people.mayInvite);
    this.#list.draw(people, this.#texts);
  }
}
