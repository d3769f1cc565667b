import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import type { People } from '../people/messages';
import { ownNotice } from '../people/notices';
import { SessionPeople } from '../people/session_people';
import type { State } from '../state';
import type { Texts } from '../texts';
import { PeoplePanel } from './people_panel';
import type { Toast } from './toast';

/** Connects the people of the session with their panel, and shows what changes for this page's own person. */
export class PeopleControls {
  readonly panel: PeoplePanel;
  readonly #session: SessionPeople;
  readonly #toast: Toast;
  #texts: Texts;
  #known: People | undefined;

  /** @param onOpen - called when the panel opens, in the place of which another panel may be */
  constructor(
    texts: Texts,
    stream: PixelStreaming,
    transport: { readonly isResumable: boolean },
    toast: Toast,
    onOpen: () => void,
  ) {
    this.#texts = texts;
    this.#toast = toast;
    this.panel = new PeoplePanel(texts, () => this.#session, onOpen);
    this.#session = new SessionPeople(stream, transport, {
      onPeople: (people) => {
        this.#onPeople(people);
      },
      onInvited: (invited) => {
        this.panel.setInvited(invited);
      },
    });
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    this.panel.setTexts(texts);
  }

  show(state: State): void {
    this.#session.show(state);
    this.panel.show(state);
  }

  #onPeople(people: People | undefined): void {
    const notice = people && ownNotice(this.#known, people);
    this.#known = people ?? this.#known;
    this.panel.setPeople(people);
    if (notice !== undefined) {
      this.#toast.show(this.#texts[notice]);
    }
  }
}
