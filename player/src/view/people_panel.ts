import type { Invited, People } from '../people/messages';
import type { SessionPeople } from '../people/session_people';
import type { State } from '../state';
import { interpolate, type Texts } from '../texts';
import { element, setText } from './dom';
import { InviteForm } from './invite_form';
import { PeopleList } from './people_list';
import { SidePanel } from './side_panel';

/** The panel with the people of the session and, for its host, the invites. */
export class PeoplePanel {
  readonly #panel: SidePanel;
  readonly #count = element('people-count', HTMLElement);
  readonly #form: InviteForm;
  readonly #list: PeopleList;
  #texts: Texts;
  #people: People | undefined;

  /** @param onOpen - called when the panel opens, in the place of which another panel may be */
  constructor(texts: Texts, session: () => SessionPeople, onOpen: () => void) {
    this.#texts = texts;
    this.#panel = new SidePanel('people', (open) => {
      if (open) {
        onOpen();
      } else {
        this.#form.clear();
      }
      this.#draw();
    });
    this.#form = new InviteForm(texts, (request) => session().invite(request));
    this.#list = new PeopleList({
      remove: (person) => session().remove(person),
      mute: (person, muted) => session().mute(person, muted),
      handOver: (person) => session().handOver(person),
    });
  }

  get open(): boolean {
    return this.#panel.open;
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    this.#form.setTexts(texts);
    this.#draw();
  }

  show(state: State): void {
    if (state.phase !== 'playing') {
      this.#panel.close();
    }
  }

  /** Hides the panel, without a change of the focus: another one takes its place. */
  hide(): void {
    this.#panel.hide();
  }

  /** Shows the people; without them there is no panel. A page that is alone and may invite nobody has none, either. */
  setPeople(people: People | undefined): void {
    this.#people = people;
    this.#panel.offer(people !== undefined && (people.people.length > 1 || people.mayInvite));
    if (people === undefined) {
      this.hide();
      this.#form.clear();
    }
    this.#draw();
  }

  setInvited(invited: Invited): void {
    this.#form.show(invited);
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
