import type { State } from '../state';
import type { StreamStats } from '../stats';

/** What a player reports, by the names of the events. */
export interface PlayerEvents {
  /** Each new state. */
  state: State;
  /** Statistics, about once a second while video plays. */
  stats: StreamStats;
  /** What the application sent over the data channel. */
  response: string;
  /** The server's answer to a `control` message, as received. */
  control: unknown;
  /** A `matchmaker` message, as received. */
  matchmaker: unknown;
}

type Listener<Event> = (event: Event) => void;

/** Passes events to the listeners of their name, in the order of their registration. */
export class EventHub<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** Adds a listener; returns a function that removes it. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
    };
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      (listener as Listener<Events[Name]>)(event);
    }
  }
}
