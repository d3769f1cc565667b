import type { People, Person } from '../people/messages';
import type { SessionPeople } from '../people/session_people';
import { interpolate, type Texts } from '../texts';
import { confirmFirst } from './confirm_button';
import { element } from './dom';

/** What the host can decide about a person. */
export type PeopleActions = Pick<SessionPeople, 'remove' | 'mute' | 'handOver'>;

/** The list of the people of a session, with the host's buttons for each. */
export class PeopleList {
  readonly #list = element('people-list', HTMLUListElement);
  readonly #actions: PeopleActions;

  constructor(actions: PeopleActions) {
    this.#actions = actions;
  }

  /** Draws the list; the focus stays on the button that had it, or moves to the list. */
  draw(people: People, texts: Texts): void {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset['name'] : undefined;
    const hadFocus = this.#list.contains(document.activeElement);
    this.#list.replaceChildren(...people.people.map((person) => this.#row(person, people, texts)));
    if (hadFocus) {
      const buttons = [...this.#list.querySelectorAll('button')];
      (buttons.find(({ dataset }) => dataset['name'] === focused) ?? this.#list).focus({ preventScroll: true });
    }
  }

  #row(person: Person, { self, mayInvite }: People, texts: Texts): HTMLElement {
    const row = document.createElement('li');
    const name = document.createElement('p');
    name.className = 'person-name';
    name.textContent = personName(person, texts);
    const role = document.createElement('p');
    role.className = 'person-role';
    role.textContent = roleText(person, self, texts);
    row.append(name, role);
    if (mayInvite && person.id !== self) {
      row.append(this.#buttons(person, texts));
    }
    return row;
  }

  #buttons(person: Person, texts: Texts): HTMLElement {
    const group = document.createElement('div');
    group.className = 'person-actions';
    const add = (kind: string, text: string): HTMLButtonElement => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'button small';
      button.textContent = text;
      button.dataset['name'] = `${String(person.id)}-${kind}`;
      button.setAttribute('aria-description', personName(person, texts));
      group.append(button);
      return button;
    };
    if (person.role === 'guest') {
      const muted = person.muted === true;
      add('mute', texts[muted ? 'people.unmute' : 'people.mute']).addEventListener('click', () => {
        this.#actions.mute(person.id, !muted);
      });
    }
    if (person.away !== true) {
      confirmFirst(add('host', texts['people.hand-over']), texts['people.hand-over.confirm'], () => {
        this.#actions.handOver(person.id);
      });
    }
    confirmFirst(add('remove', texts['people.remove']), texts['people.remove.confirm'], () => {
      this.#actions.remove(person.id);
    });
    return group;
  }
}

/** Returns how a person is called. */
export function personName(person: Person, texts: Texts): string {
  return person.name ?? interpolate(texts[`people.unnamed.${person.role}`], { number: person.id });
}

/** Returns what a person is, and what the host or the network has changed about it. */
export function roleText(person: Person, self: number, texts: Texts): string {
  return [
    texts[`people.role.${person.role}`],
    ...(person.id === self ? [texts['people.you']] : []),
    ...(person.muted ? [texts['people.muted']] : []),
    ...(person.away ? [texts['people.away']] : []),
  ].join(' · ');
}
